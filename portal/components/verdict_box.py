"""Checking an invoice in front of the customer: every line rated anew, every seal followed."""

import streamlit as st

from portal import format as words
from portal.highlight import literal
from services.accounts.scope import Member
from services.billing.snapshot import Snapshot
from services.db import reading
from services.proof import service as proof
from services.proof.verify import Verdict


def verdict_box(member: Member, shown: Snapshot, reference: str) -> None:
    """What the invoice stands on, and a button that checks it."""
    if shown.ledger is None:
        return
    with st.container(border=True):
        said, button = st.columns([3, 2], vertical_alignment="center")
        said.markdown(
            f"**Proof**  \n:gray[Your ledger had {words.count(shown.ledger.events, 'event')} in "
            f"{words.count(shown.ledger.blocks, 'block')} when this invoice was made. Its head:]"
        )
        if button.button("Check this invoice", icon=":material/verified:", width="stretch"):
            with st.spinner("Rating every line anew, and checking every seal …"), reading() as db:
                _show(proof.check(db, member, reference=reference))
        st.code(shown.ledger.hash, language=None, wrap_lines=True)
        st.caption(
            "Without us: take the bundle and run `tuneport invoice verify`. It needs no network, no account."
        )


def _show(verdict: Verdict) -> None:
    if verdict.is_right:
        st.success(
            f"All is right. {words.count(verdict.lines, 'line')} rated anew from "
            f"{words.count(verdict.events, 'event')}, {words.count(verdict.blocks, 'block')} hashed again, "
            "every sum added up.",
            icon=":material/check_circle:",
        )
        return
    first, *others = verdict.faults
    more = f" And {words.count(len(others), 'more fault')}." if others else ""
    st.error(
        f"This invoice is not right. {literal(str(first))}.{more} Write to us, and do not pay it before.",
        icon=":material/error:",
    )
