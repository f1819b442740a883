"""How to pay what is owed of an invoice: online where that is set up, and by bank transfer."""

import streamlit as st

from portal import format as words
from portal.downloads import LINK_LIFE
from portal.highlight import literal
from portal.paying import pay_url
from services import clock
from services.billing.money import Money
from services.billing.online import checkout
from services.billing.snapshot import Snapshot


def pay_box(shown: Snapshot, owed: Money) -> None:
    """What is owed, and the ways to pay it."""
    assert shown.number is not None
    with st.container(border=True):
        said, button = st.columns([5, 2], vertical_alignment="center")
        is_late = shown.due_on is not None and shown.due_on < clock.now().date()
        due = f" by {words.day(shown.due_on)}" if shown.due_on and not is_late else ""
        late = f"  \n:red[It was due on {words.day(shown.due_on)}.]" if shown.due_on and is_late else ""
        transfer = f"  \n:gray[{literal(shown.payment)} Reference: {shown.number}.]" if shown.payment else ""
        still = "" if owed == shown.draft.payable else " still"
        said.markdown(f"**{words.amount(owed)} is{still} to be paid{due}**{late}{transfer}")
        if checkout.is_set_up():
            with button:
                _online(shown.number, words.amount(owed))


@st.fragment(run_every=LINK_LIFE * 0.8)
def _online(number: str, amount: str) -> None:
    # The link is renewed before it ends.
    st.link_button(
        f"Pay {amount}",
        pay_url(number),
        type="primary",
        icon=":material/credit_card:",
        width="stretch",
    )
