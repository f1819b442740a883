"""One invoice (`?invoice=` a number, or a month such as 2026-11), whose lines open their events."""

import streamlit as st

from portal import format as words
from portal import session
from portal.components.credit_notes import credit_notes
from portal.components.download import download_link
from portal.components.header import page_header
from portal.components.instalments import instalment_table
from portal.components.invoice_lines import charge_lines, invoice_lines
from portal.components.kpi import Kpi, kpi_row
from portal.components.pay_box import pay_box
from portal.components.status import status_badge
from portal.components.verdict_box import verdict_box
from portal.highlight import literal
from services.billing import contracts
from services.billing import service as billing
from services.billing.notes import notes_of
from services.billing.owing import outstanding
from services.billing.period import Month
from services.db import reading
from services.documents.semantic import missing_for

LIST = "views/customer/invoices.py"

member = session.member()
reference = st.query_params.get("invoice")

if not reference:
    st.switch_page(LIST)

with reading() as db:
    shown = billing.statement(db, member, reference=reference)
    state, taken_back, owed = "draft", [], None
    if shown.number:
        issued = billing.invoice(db, member, number_or_id=shown.number)
        state, taken_back = issued.state.value, notes_of(db, member, issued)
        owed = outstanding(db, member, issued)
    month = Month(shown.first_day.year, shown.first_day.month)
    contract = contracts.contract_in(db, member, month)
    numbers = {
        Month.of(one.period_start, shown.time_zone): one.number for one in billing.invoices(db, member)
    }

period = f"{words.day(shown.first_day)} to {words.day(shown.last_day)}, days of {shown.time_zone}"
title = shown.number or f"Draft for {words.month(shown.first_day)}"
with page_header(title, f"{period}. {shown.plan_title}.", back=(LIST, "Invoices")):
    download_link("PDF", "invoice-pdf", reference)
    with st.popover("More", icon=":material/folder_zip:"):
        if shown.number and not missing_for(shown):
            download_link("E-invoice, Factur-X (XML)", "invoice-xml", reference)
            download_link("E-invoice, UBL 2.1 (XML)", "invoice-ubl.xml", reference)
        download_link("Rows for finance tools (CSV, FOCUS)", "invoice-csv", reference)
        download_link("All figures (JSON)", "invoice-json", reference)
        if shown.ledger:
            download_link("Bundle to check it without us (ZIP)", "invoice-bundle", reference)
status_badge(state)

draft = shown.draft
due = f"due on {words.day(shown.due_on)}" if shown.due_on else "may still change"
kpi_row(
    Kpi("To pay", words.amount(draft.payable), note=due),
    Kpi("Use and charges" if draft.charges else "Use", words.amount(draft.subtotal)),
    Kpi("Discount and credit", words.amount(draft.discount + draft.credit + draft.prepaid)),
    Kpi(
        "Tax",
        words.amount(draft.tax),
        help=" ".join(sorted({group.note for group in draft.tax_groups if group.note})) or None,
    ),
)
if owed and owed.micros:
    if st.query_params.get("paid"):
        st.info(
            "Your payment is on its way to us; this page shows it within a minute.", icon=":material/check:"
        )
    pay_box(shown, owed)
if draft.lines:
    st.subheader("Lines", anchor=False)
    invoice_lines(member, shown, reference)
if draft.charges:
    st.subheader("Other charges", anchor=False)
    charge_lines(shown)
if contract is not None and contracts.plan_of_payments(contract):
    st.subheader("Instalments", anchor=False)
    st.caption(
        f"{literal(contract.title)}, {words.day(contract.starts_on)} to {words.day(contract.ends_on)}. "
        "Amounts before tax."
    )
    instalment_table(contract, numbers=numbers, shown=month)
if taken_back:
    st.subheader("Taken back", anchor=False)
    credit_notes(taken_back, shown)
verdict_box(member, shown, reference)
if draft.is_empty:
    st.caption("Nothing was used in this period, so nothing is owed.")
