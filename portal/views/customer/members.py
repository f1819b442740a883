"""Members: who is in the workspace and may do what, who is invited, and what was done."""

from zoneinfo import ZoneInfo

import pandas as pd
import streamlit as st

from portal import format as words
from portal import session
from portal.audit_words import about, happened
from portal.components.confirm import confirm
from portal.components.header import page_header
from portal.components.notice import announce, complain
from portal.components.status import status_badge
from portal.highlight import literal
from services import clock
from services.accounts import sign_ins, team
from services.accounts.scope import Role
from services.accounts.tables import Invitation
from services.accounts.team import Colleague
from services.db import reading, transaction
from services.errors import ServiceError

WIDTHS = [5, 3, 2]
OPEN = "invitation_dialog_open"
DUTIES = {
    Role.owner: "may do everything, and decides who is in",
    Role.editor: "uploads data, trains models, makes keys",
    Role.billing: "sees invoices and budgets",
    Role.viewer: "looks, and tries models",
}

member = session.member()
tenant = session.tenant()
in_charge = member.may(Role.owner)
with reading() as db:
    people = team.colleagues(db, member)
    invitations = team.open_invitations(db, member)
    names = {colleague.user_id: colleague.name for colleague in people}
    log = team.audit_log(db, member, limit=200) if in_charge else []


def invite() -> None:
    """Keep a place for the address in the form."""
    email, role = st.session_state["invite_email"], st.session_state["invite_role"]
    st.session_state[OPEN] = False
    try:
        with transaction() as db:
            team.invite(db, session.member(), email=email, role=role)
    except ServiceError as error:
        complain(error)
    else:
        announce(f"{email} may sign in now.", icon=":material/mail:")


def close() -> None:
    """The dialog was left."""
    st.session_state[OPEN] = False


@st.dialog("Invite a colleague", on_dismiss=close)
def invitation() -> None:
    """Ask for address and role."""
    with st.form("invitation", border=False):
        st.text_input("E-mail", key="invite_email", placeholder="name@company.com")
        st.radio(
            "Role",
            [Role.editor, Role.viewer, Role.billing, Role.owner],
            format_func=str.capitalize,
            captions=[DUTIES[role] for role in (Role.editor, Role.viewer, Role.billing, Role.owner)],
            key="invite_role",
        )
        st.caption("They join when they next sign in with this verified address, within 14 days.")
        st.form_submit_button("Invite", type="primary", on_click=invite)
    if not st.session_state[OPEN]:
        st.rerun()


def change_role(user_id: str) -> None:
    """Give the role that was chosen in the person's row."""
    try:
        with transaction() as db:
            team.change_role(db, session.member(), user_id=user_id, role=st.session_state[f"role_{user_id}"])
    except ServiceError as error:
        complain(error)
        # The row shows again what is true.
        del st.session_state[f"role_{user_id}"]
    else:
        announce("The new role counts from their next step on.")


def remove(user_id: str) -> None:
    """Take a person out."""
    with transaction() as db:
        team.remove_member(db, session.member(), user_id=user_id)


def revoke(invitation_id: str) -> None:
    """Take an invitation back."""
    with transaction() as db:
        team.revoke_invitation(db, session.member(), invitation_id=invitation_id)


def sign_out_everywhere() -> None:
    """End every sign-in of the person in front of us, this one too."""
    with transaction() as db:
        sign_ins.end_everywhere(db, session.user().id)


def person_row(person: Colleague) -> None:
    """One member; owners may change the role or take the person out."""
    who, role, out = st.columns(WIDTHS, vertical_alignment="center")
    you = " :gray[(you)]" if person.user_id == member.user_id else ""
    who.markdown(f"**{literal(person.name)}**{you}  \n:small[:gray[{literal(person.email)}]]")
    if not in_charge:
        with role:
            status_badge(person.role)
        return
    role.selectbox(
        f"Role of {person.name}",
        list(Role),
        index=list(Role).index(person.role),
        format_func=str.capitalize,
        key=f"role_{person.user_id}",
        label_visibility="collapsed",
        on_change=change_role,
        args=(person.user_id,),
    )
    if out.button("Remove", key=f"remove_{person.user_id}"):
        confirm(
            f"Remove {literal(person.name)}?",
            loses=f"{literal(person.name)} can no longer enter {literal(tenant.name)}. What they made stays.",
            verb="Remove member",
            act=lambda: remove(person.user_id),
            done=f"{person.name} is no longer a member.",
        )


def invitation_row(open_one: Invitation) -> None:
    """One open invitation, and the way to take it back."""
    who, state, out = st.columns(WIDTHS, vertical_alignment="center")
    until = words.ago(open_one.expires_at, clock.now())
    who.markdown(f"{literal(open_one.email)}  \n:small[:gray[as {open_one.role}, runs out {until}]]")
    with state:
        status_badge("invited")
    if in_charge and out.button("Take back", key=f"revoke_{open_one.id}"):
        confirm(
            f"Take the invitation of {literal(open_one.email)} back?",
            loses="The address can no longer join with it. You can invite it again.",
            verb="Take back",
            act=lambda: revoke(open_one.id),
            done=f"{open_one.email} is no longer invited.",
        )


with page_header("Members", f"Who may enter {literal(tenant.name)}, and what they may do."):
    if in_charge and st.button("Invite", type="primary", icon=":material/person_add:"):
        st.session_state[OPEN] = True
if st.session_state.get(OPEN):
    invitation()

with st.container(border=True, gap="small"):
    for column, title in zip(st.columns(WIDTHS), ("Person", "Role", ""), strict=True):
        column.caption(title)
    for colleague in people:
        person_row(colleague)
    for open_invitation in invitations:
        invitation_row(open_invitation)
with st.expander("What the roles may do"):
    st.markdown("\n".join(f"- **{role.capitalize()}** {duty}." for role, duty in DUTIES.items()))

st.subheader("Your sign-ins", anchor=False)
with st.container(border=True, horizontal=True, vertical_alignment="center"):
    st.markdown(
        "Lost a laptop, or used somebody else's? End every browser that is signed in as you.", width="stretch"
    )
    if st.button("Sign out everywhere", icon=":material/logout:"):
        confirm(
            "Sign out everywhere?",
            loses="Every browser signed in as you is signed out, this one too. Running jobs go on.",
            verb="Sign out everywhere",
            act=sign_out_everywhere,
            done="You are signed out everywhere.",
        )

if in_charge:
    st.subheader("Audit log", anchor=False)
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "When": entry.at.astimezone(ZoneInfo(tenant.time_zone)),
                    "Who": name,
                    "What": happened(entry.action),
                    "About": about(entry.subject, entry.detail, names),
                }
                for entry, name in log
            ],
            columns=["When", "Who", "What", "About"],
        ),
        hide_index=True,
        column_config={"When": st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm", width="medium")},
    )
