"""How production of a model moved, and the one press that moves it back."""

from collections.abc import Sequence

import streamlit as st

from portal import format as words
from portal import session
from portal.components.notice import announce
from portal.components.permission import refusal
from portal.errors import shown
from portal.highlight import literal
from portal.verdict import compared
from services import clock
from services.accounts import team
from services.accounts.scope import Member, Role
from services.db import reading, transaction
from services.registry import aliases
from services.registry.gate import Judgement
from services.registry.tables import Model, ModelVersion, MoveKind

_DEEDS = {
    MoveKind.first: "first version",
    MoveKind.promoted: "moved",
    MoveKind.overruled: "moved although worse",
    MoveKind.rolled_back: "rolled back",
}


def alias_history(member: Member, model: Model, versions: Sequence[ModelVersion]) -> None:
    """Moves of production, newest first, with who, when, from where to where, and how they compared."""
    with reading() as db:
        moves = aliases.history(db, member, model_id=model.id)
        people = {one.user_id: one.name or one.email for one in team.colleagues(db, member)}
    numbers: dict[str | None, int] = {version.id: version.number for version in versions}
    earlier = aliases.before(moves)
    if earlier in numbers:
        _roll_back_button(member, model, numbers[earlier])
    if len(moves) < 2:
        return
    with st.expander(f"How production moved ({len(moves)})", icon=":material/history:"):
        for move in moves:
            start = f"version {numbers[move.from_version_id]} → " if move.from_version_id in numbers else ""
            who = literal(people.get(move.moved_by or "", "a program or the worker"))
            st.markdown(
                f"**{start}version {numbers.get(move.to_version_id, '?')}** · {_DEEDS[move.kind]} by {who} · "
                f":gray[{words.ago(move.moved_at, clock.now())}]"
            )
            if move.judgement:
                st.caption(compared(Judgement.model_validate(move.judgement)))
            if move.reason:
                st.caption(f"Reason: {literal(move.reason)}")


def _roll_back_button(member: Member, model: Model, number: int) -> None:
    why_not = refusal(member, Role.editor)
    if st.button(
        f"Roll back to version {number}",
        icon=":material/undo:",
        disabled=why_not is not None,
        help=why_not or "Puts the version that was live before into production, at once.",
    ):
        with shown():
            with transaction() as db:
                aliases.roll_back(db, session.member(), model_id=model.id)
            announce(f"Production of {model.name} is version {number} again.")
            st.rerun()
