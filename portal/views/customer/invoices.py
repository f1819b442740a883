"""Invoices: the draft of the present month, and what was invoiced before."""

import streamlit as st

from portal import format as words
from portal import session
from portal.components.header import page_header
from portal.components.status import status_badge
from services import clock
from services.accounts import service as accounts
from services.billing import service as billing
from services.billing.money import Money
from services.billing.owing import outstanding
from services.billing.period import Month
from services.billing.tables import Invoice
from services.db import reading
from services.metering.days import day_of

WIDTHS = [6, 3, 4, 5]


def row(reference: str, name: str, period: str, state: str, total: str, still: str) -> None:
    """One invoice and the way to it."""
    link, badge, amount, owed = st.columns(WIDTHS, vertical_alignment="center")
    with link, st.container(gap=None):
        st.page_link(
            "views/customer/invoice.py",
            label=name,
            icon=":material/receipt_long:",
            query_params={"invoice": reference},
        )
        st.caption(period)
    with badge:
        status_badge(state)
    amount.markdown(total, text_alignment="right")
    owed.markdown(still, text_alignment="right")


def to_pay(invoice: Invoice, owed: Money) -> str:
    """What is still owed of an invoice, and until when or since when."""
    if not owed.micros:
        return ":gray[–]"
    due = invoice.due_on
    is_late = due is not None and due < clock.now().date()
    said = f"{'was due' if is_late else 'due'} {words.day(due)}" if due else ""
    return f"**{words.amount(owed)}**  \n:small[:{'red' if is_late else 'gray'}[{said}]]"


member = session.member()

page_header("Invoices", "What you owe, line by line, down to single events.")

with reading() as db:
    zone = accounts.get_tenant(db, member).time_zone
    month = Month.of(clock.now(), zone)
    draft = billing.draft_invoice(db, member, month=month)
    final = [(invoice, outstanding(db, member, invoice)) for invoice in billing.invoices(db, member)]

with st.container(border=True, gap="xsmall"):
    for place, (column, title) in enumerate(
        zip(st.columns(WIDTHS), ("Invoice", "State", "Total", "To pay"), strict=True)
    ):
        column.caption(title, text_alignment="right" if place > 1 else "left")
    so_far = words.amount(draft.draft.payable)
    row(str(month), "This month’s draft", words.month(month.first), "draft", so_far, ":gray[not yet]")
    for invoice, owed in final:
        period = words.month(day_of(invoice.period_start, zone))
        total = words.money(invoice.total, invoice.currency)
        row(invoice.number, invoice.number, period, invoice.state.value, total, to_pay(invoice, owed))
if not final:
    st.caption("The first invoice is made a day after the month has ended. Until then, watch the draft.")
