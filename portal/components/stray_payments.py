"""Money that no invoice takes, with the reason, and what an operator can do about it."""

import streamlit as st

from portal import format as words
from portal import session
from portal.components.notice import announce, complain
from portal.highlight import literal
from services.billing import strays
from services.billing.money import Money
from services.billing.strays import Settlement, Stray
from services.db import transaction
from services.errors import ServiceError

_VERBS = {
    Settlement.credited: ("Keep as credit", "It pays the workspace’s invoices to come."),
    Settlement.sent_back: ("It was sent back", "For money that you have returned another way."),
    Settlement.explained: ("It is explained", "Somebody has looked, and nothing is left to do."),
}


def stray_payments(found: list[Stray]) -> None:
    """A card for each."""
    for stray in found:
        payment = stray.payment
        amount = words.amount(Money(payment.left, payment.currency))
        with st.container(border=True):
            st.markdown(
                f":orange[:material/help:] **{amount}** of **{literal(stray.tenant.name)}**, "
                f"{words.day(payment.noted_at.date())}  \n{literal(payment.sentence)}  \n"
                f":small[:gray[{payment.code} · {payment.method} {literal(payment.reference)}]]"
            )
            with st.container(horizontal=True):
                for way in _ways(stray):
                    label, explained = _VERBS[way]
                    st.button(
                        label,
                        key=f"{way.name}:{payment.id}",
                        help=explained,
                        on_click=_settle,
                        args=(stray.tenant.id, payment.id, way),
                    )


def _ways(stray: Stray) -> tuple[Settlement, ...]:
    if stray.payment.left < 0:
        return (Settlement.explained,)
    # Credit is in the currency that the workspace is billed in.
    can_be_kept = stray.payment.currency == stray.tenant.currency
    return (Settlement.credited, Settlement.sent_back) if can_be_kept else (Settlement.sent_back,)


def _settle(tenant_id: str, stray_id: str, way: Settlement) -> None:
    try:
        with transaction() as db:
            strays.settle(db, session.operator(), tenant_id=tenant_id, stray_id=stray_id, settlement=way)
    except ServiceError as error:
        complain(error)
    else:
        announce(f"Noted: {way.value}.")
