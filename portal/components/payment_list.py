"""What came in from a workspace, and sending a part of it back."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from portal import format as words
from portal import session
from portal.components.confirm import confirm
from portal.components.empty import empty_state
from portal.written import decimal_of
from services.billing import sending_back
from services.billing.money import Money, rounded
from services.billing.sending_back import Received
from services.db import transaction

_RIGHT = st.column_config.TextColumn(alignment="right")
_METHODS = {"bank_transfer": "Bank transfer", "stripe": "Online"}


def payment_list(came_in: Sequence[Received]) -> None:
    """The table, and below it the refund of one of them."""
    if not came_in:
        empty_state(
            "No payment yet", "What comes in for its invoices stands here.", icon=":material/payments:"
        )
        return
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Invoice": one.number,
                    "On": words.day(one.payment.received_on),
                    "By": _METHODS.get(one.payment.method, one.payment.method),
                    "Reference": one.payment.reference,
                    "Amount": words.money(one.payment.amount, one.left.currency),
                    "Left": words.amount(one.left),
                }
                for one in came_in
            ]
        ),
        hide_index=True,
        column_config={
            "Amount": _RIGHT,
            "Left": st.column_config.TextColumn(alignment="right", help="What was not sent back."),
        },
        alt="Payments of the workspace, newest first",
    )
    if to_send := [one for one in came_in if one.left.micros]:
        with st.popover("Send money back", icon=":material/undo:"):
            _refund(to_send)


def _refund(to_send: Sequence[Received]) -> None:
    by_id = {one.payment.id: one for one in to_send}
    chosen = st.selectbox("Payment", list(by_id), format_func=lambda one: _named(by_id[one]), key="refund:of")
    one = by_id[chosen]
    written = st.text_input(
        f"Amount with tax, in {one.left.currency}", f"{one.left.amount.normalize():f}", key=f"refund:{chosen}"
    )
    number = decimal_of(written)
    amount = rounded(number, one.left.currency) if number is not None else None
    is_good = amount is not None and Money.zero(one.left.currency) < amount <= one.left
    if not is_good:
        st.error(f"Send back at most {words.amount(one.left)}.", icon=":material/error:")
    st.caption(
        "It goes back the way it came, by the payment provider."
        if one.by_provider
        else "Send it by bank transfer first: this notes that you did."
    )
    if st.button("Send back" if one.by_provider else "Note it", disabled=not is_good):
        assert amount is not None
        confirm(
            f"{'Send back' if one.by_provider else 'Note'} {words.amount(amount)} of {one.number}?",
            loses="It ends as a credit note with the next number, which is never changed; what an earlier "
            "credit note left for later invoices is paid out first.",
            verb="Send back" if one.by_provider else "Note it",
            act=partial(_send, one, amount),
            done=f"{words.amount(amount)} of {one.number} went back.",
        )


def _named(one: Received) -> str:
    return f"{one.number}, {words.day(one.payment.received_on)}, {words.amount(one.left)} left"


def _send(one: Received, amount: Money) -> None:
    sending_back.send_back(
        session.operator(),
        tenant_id=one.payment.tenant_id,
        payment_id=one.payment.id,
        amount=amount,
        opened=transaction,
    )
