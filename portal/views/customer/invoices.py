"""Invoices: the draft of the present month, and what was invoiced before."""

import streamlit as st

from portal import format as words
from portal import session
from portal.components.header import page_header
from portal.components.status import status_badge
from services import clock
from services.accounts import service as accounts
from services.billing import service as billing
from services.billing.period import Month
from services.db import reading
from services.metering.days import day_of

WIDTHS = [5, 4, 3, 3]


def row(reference: str, name: str, period: str, state: str, total: str) -> None:
    """One invoice and the way to it."""
    link, when, badge, amount = st.columns(WIDTHS, vertical_alignment="center")
    link.page_link(
        "views/customer/invoice.py",
        label=name,
        icon=":material/receipt_long:",
        query_params={"invoice": reference},
    )
    when.markdown(f":gray[{period}]")
    with badge:
        status_badge(state)
    amount.markdown(total)


member = session.member()

page_header("Invoices", "What you owe, line by line, down to single events.")

with reading() as db:
    zone = accounts.get_tenant(db, member).time_zone
    month = Month.of(clock.now(), zone)
    draft = billing.draft_invoice(db, member, month=month)
    final = billing.invoices(db, member)

with st.container(border=True, gap="xsmall"):
    for column, title in zip(st.columns(WIDTHS), ("Invoice", "Period", "State", "Total"), strict=True):
        column.caption(title)
    row(
        str(month), "This month’s draft", words.month(month.first), "draft", words.amount(draft.draft.payable)
    )
    for invoice in final:
        period = words.month(day_of(invoice.period_start, zone))
        total = words.money(invoice.total, invoice.currency)
        row(invoice.number, invoice.number, period, invoice.state.value, total)
if not final:
    st.caption("The first invoice is made a day after the month has ended. Until then, watch the draft.")
