"""Invoices of which something is owed: note a payment, take something back, or expect no more."""

from decimal import Decimal, InvalidOperation

import pandas as pd
import streamlit as st

from portal import format as words
from portal import session
from portal.components.confirm import confirm
from portal.components.notice import announce, complain
from portal.components.side_by_side import side_by_side
from services import clock
from services.billing import crediting, payments
from services.billing.money import Money, rounded
from services.db import transaction
from services.errors import ServiceError
from services.revenue import Owed


def collecting(rows: list[Owed]) -> None:
    """The table, and below it what can be done with one of them."""
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Invoice": row.invoice.number,
                    "Workspace": row.tenant.name,
                    "Owed": words.amount(row.owed),
                    "Late": words.count(row.days_late, "day") if row.days_late else "",
                    "Due": words.day(row.invoice.due_on) if row.invoice.due_on else "",
                    "State": row.invoice.state.value.capitalize(),
                }
                for row in rows
            ]
        ),
        hide_index=True,
        column_config={
            "Workspace": st.column_config.TextColumn(width="medium"),
            "Owed": st.column_config.TextColumn(alignment="right"),
        },
    )
    by_number = {row.invoice.number: row for row in rows}
    with st.container(border=True):
        chosen = st.selectbox(
            "Invoice",
            list(by_number),
            format_func=lambda number: _named(by_number[number]),
            key="collect",
        )
        row = by_number[chosen]
        pay, take_back = side_by_side()
        with pay:
            _payment(row)
        with take_back:
            _credit(row)


def _named(row: Owed) -> str:
    return f"{row.invoice.number}, {row.tenant.name}, {words.amount(row.owed)}"


def _payment(row: Owed) -> None:
    with st.form(f"pay:{row.invoice.id}", border=False):
        st.markdown("**A payment came in**")
        amount = st.text_input("Amount", f"{row.owed.amount.normalize():f}")
        reference = st.text_input("Reference", help="As it stands on the bank statement.")
        day = st.date_input("On", clock.now().date())
        pressed = st.form_submit_button("Record payment")
        # Without one, a second part would be taken for the first one told again.
        if pressed and not reference.strip():
            st.error("Write the reference, by which the transfer is known again.", icon=":material/error:")
        elif pressed:
            try:
                with transaction() as db:
                    payments.record_by_hand(
                        db,
                        session.operator(),
                        tenant_id=row.tenant.id,
                        invoice_id=row.invoice.id,
                        amount=_money(amount, row.owed.currency),
                        reference=reference,
                        received_on=day,
                    )
            except ServiceError as error:
                complain(error)
            else:
                announce(f"{amount} {row.owed.currency} noted for {row.invoice.number}.")
            st.rerun()


def _credit(row: Owed) -> None:
    st.markdown("**Something was wrong**")
    net = st.text_input("Take back, before tax", placeholder="all of it", key=f"net:{row.invoice.id}")
    reason = st.text_input("Reason, as the credit note says it", key=f"reason:{row.invoice.id}")

    def act() -> None:
        with transaction() as db:
            crediting.credit(
                db,
                session.operator(),
                tenant_id=row.tenant.id,
                invoice_id=row.invoice.id,
                reason=reason,
                net=_money(net, row.owed.currency) if net.strip() else None,
            )

    def write_off() -> None:
        with transaction() as db:
            payments.write_off(db, session.operator(), tenant_id=row.tenant.id, invoice_id=row.invoice.id)

    with st.container(horizontal=True):
        if st.button("Issue credit note", disabled=not reason.strip()):
            confirm(
                f"Take back {net or 'all'} of {row.invoice.number}?",
                loses="The credit note gets the next number and never changes. Taken back as a whole, the "
                "invoice is void.",
                verb="Issue",
                act=act,
                done=f"A credit note on {row.invoice.number} is issued.",
            )
        if st.button("Expect no payment", disabled=row.invoice.state.value != "open"):
            confirm(
                f"Expect no payment of {row.invoice.number}?",
                loses="It counts as uncollectible, and nobody is reminded of it any more. A payment that "
                "comes in after all can still be recorded.",
                verb="Write off",
                act=write_off,
                done=f"{row.invoice.number} is uncollectible.",
            )


def _money(written: str, currency: str) -> Money:
    try:
        return rounded(Decimal(written.strip().replace(",", ".")), currency)
    except InvalidOperation:
        # Refused like any other amount that cannot be paid.
        return Money.zero(currency)
