"""What a member's role does not allow is shown, and says why."""

from services.accounts.scope import Member, Role, RoleMissing


def refusal(member: Member, needs: Role) -> str | None:
    """Why the member may not do this, for a disabled button's tooltip; None when they may.

    why = refusal(member, Role.editor)
    st.button("Upload", disabled=why is not None, help=why)
    """
    return None if member.may(needs) else RoleMissing(member.role, needs).message
