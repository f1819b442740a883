"""Billing runs: a month of all workspaces looked at, closed and collected; who is parked, and why."""

import pandas as pd
import streamlit as st

from portal import format as words
from portal import session
from portal.components.collecting import collecting
from portal.components.confirm import confirm
from portal.components.empty import empty_state
from portal.components.header import page_header
from portal.components.kpi import Kpi, kpi_row
from portal.components.parked import parked_list
from portal.components.stray_payments import stray_payments
from portal.components.unsent_letters import unsent_letters
from services import clock, revenue
from services.billing import closers, letters, runs, strays
from services.billing.money import by_currency
from services.billing.parked import parked
from services.billing.period import Month
from services.billing.runs import Row, Step
from services.db import reading

WORDS = {
    Step.ready: "Ready",
    Step.waiting: "Use may still arrive",
    Step.nothing: "Nothing to invoice",
    Step.closed: "Finalised",
    Step.parked: "Parked",
}


def close_all(ready: list[Row], month: Month) -> None:
    """Finalise what is ready, each workspace in a transaction of its own."""
    for _ in closers.close_all((row.tenant, month) for row in ready):
        pass


def run_table(rows: list[Row]) -> None:
    """Every workspace with something to invoice, or with something wrong."""
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Workspace": row.tenant.name,
                    "Invoice": row.invoice.number if row.invoice else "Draft",
                    "State": WORDS[row.step] if row.invoice is None else row.invoice.state.value.capitalize(),
                    "To pay": words.amount(row.figures.payable) if row.figures else "",
                    "Before tax": words.amount(row.figures.net) if row.figures else "",
                    "Tax": words.amount(row.figures.tax) if row.figures else "",
                    "Lines": len(row.figures.lines) + len(row.figures.charges) if row.figures else 0,
                }
                for row in rows
            ]
        ),
        hide_index=True,
        column_config={
            "Workspace": st.column_config.TextColumn(width="medium"),
            **{
                name: st.column_config.TextColumn(alignment="right")
                for name in ("Before tax", "Tax", "To pay")
            },
        },
    )


session.operator()
place = page_header("Billing runs", "Drafts of a month, their invoices, and what is still to come in.")
last = Month.of(clock.now(), "UTC").previous
months = [str(month) for month in (last.next, last, last.previous, last.previous.previous)]
month = Month.parse(
    st.segmented_control(
        "Month",
        months,
        default=str(last),
        format_func=lambda month: words.month(Month.parse(month).first),
        required=True,
    )
)
with reading() as db:
    rows = runs.dry_run(db, session.operator(), month=month)
    owed = revenue.receivables(db, session.operator())
    held = parked(db, session.operator())
    strayed = strays.undecided(db, session.operator())
    not_sent = letters.unsent(db, session.operator())

ready = [row for row in rows if row.step is Step.ready]
of_month = [row for row in rows if row.step is Step.parked]
# A workspace whose month is closed may be held back from its next one.
is_listed = {row.tenant.id for row in of_month}
held_back = of_month + [row for row in held if row.tenant.id not in is_listed]
closed = [row for row in rows if row.step is Step.closed]
late = [row for row in owed if row.days_late > 0]
kpi_row(
    Kpi(
        "Ready to finalise",
        words.count(len(ready)),
        note=words.amounts(by_currency([row.figures.payable for row in ready if row.figures])),
    ),
    Kpi(
        "Finalised",
        words.count(len(closed)),
        note=words.amounts(by_currency([row.figures.total for row in closed if row.figures])),
    ),
    Kpi(
        "Parked",
        words.count(len(held_back)),
        note="needs somebody" if held_back else "all sums agree",
        note_colour="red" if held_back else "gray",
    ),
    Kpi(
        "Overdue",
        words.count(len(late)),
        note=words.amounts(by_currency([row.owed for row in late])),
        note_colour="red" if late else "gray",
    ),
)
with place:
    if st.button(
        "Finalise what is ready", type="primary", icon=":material/receipt_long:", disabled=not ready
    ):
        confirm(
            f"Finalise {words.count(len(ready), 'invoice')} of {words.month(month.first)}?",
            loses="Each gets the next number and never changes again. What turns out to be wrong is put "
            "right by a credit note or on the next invoice.",
            verb="Finalise",
            act=lambda: close_all(ready, month),
            done=f"{words.count(len(ready), 'workspace')} gone through.",
        )

if held_back:
    st.subheader("Parked", anchor=False)
    parked_list(held_back)
if strayed:
    st.subheader("Payments that no invoice takes", anchor=False)
    stray_payments(strayed)
if not_sent:
    st.subheader("Not sent by e-mail", anchor=False)
    unsent_letters(not_sent)
st.subheader("The month", anchor=False)
st.caption("This is a dry run: it shows what finalising would do, and does none of it.")
listed = [
    row
    for row in rows
    if row.step is not Step.nothing and not (row.figures and row.figures.is_empty and not row.findings)
]
if listed:
    run_table(listed)
else:
    empty_state(
        "Nothing to invoice",
        "No workspace has used anything in this month.",
        icon=":material/receipt_long:",
    )
st.subheader("Collecting", anchor=False)
if owed:
    collecting(owed)
else:
    st.caption("Nothing is owed.")
