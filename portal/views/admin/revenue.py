"""Revenue: what comes in every month, what is overdue, and what each workspace leaves after its devices."""

from typing import Literal

import pandas as pd
import streamlit as st

from portal import format as words
from portal import session
from portal.components.chart import chart
from portal.components.empty import empty_state
from portal.components.header import page_header
from portal.components.kpi import Kpi, kpi_row
from portal.use_charts import margins
from services import clock, revenue
from services.billing.money import Money, by_currency
from services.billing.period import Month
from services.db import reading
from services.revenue import Margin

# Days past the due date, up to and with.
AGES = ((0, "not due yet"), (30, "up to 30 days"), (60, "31 to 60 days"), (10**6, "over 60 days"))

# Workspaces that a chart shows.
LARGEST = 12


def sums(found: list[Money]) -> str:
    """Sums, one for each currency."""
    return words.amounts(by_currency(found))


def of_sums(
    label: str,
    found: list[Money],
    *,
    note: str = "",
    note_colour: Literal["gray", "red"] = "gray",
    help: str | None = None,  # noqa: A002
) -> Kpi:
    """A figure in the first of its currencies; the others stand below it."""
    value, rest = words.leading(by_currency(found))
    return Kpi(label, value, ", ".join(filter(None, (rest, note))), note_colour, help=help)


def margin_chart(rows: list[Margin]) -> None:
    """The largest workspaces, a chart for each currency: amounts of two are not to be compared."""
    for currency in sorted({row.revenue.currency for row in rows}):
        top = [row for row in rows if row.revenue.currency == currency][:LARGEST]
        with st.container(border=True):
            chart(
                margins(
                    [row.tenant.name for row in top],
                    [row.cost.micros / 10**6 for row in top],
                    [row.margin.micros / 10**6 for row in top],
                    currency=currency,
                ),
                key=f"margins:{currency}",
            )


def margin_table(rows: list[Margin]) -> None:
    """Every workspace's month."""
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Workspace": row.tenant.name,
                    "Revenue": words.amount(row.revenue),
                    "Margin": words.amount(row.margin),
                    "Of revenue": words.percent(row.margin.micros / row.revenue.micros, 0)
                    if row.revenue.micros > 0
                    else "–",
                    "Device cost": words.amount(row.cost),
                    "Device hours": f"{row.device_hours:,.2f}",
                }
                for row in rows
            ]
        ),
        hide_index=True,
        column_config={
            name: st.column_config.TextColumn(alignment="right")
            for name in ("Revenue", "Margin", "Of revenue", "Device cost", "Device hours")
        },
    )


session.operator()
page_header("Revenue", "Amounts before tax. Device costs are those of your settings, for every attempt.")
present = Month.of(clock.now(), "UTC")
months = [str(month) for month in (present, present.previous, present.previous.previous)]
month = Month.parse(
    st.segmented_control(
        "Month",
        months,
        default=months[0],
        format_func=lambda month: words.month(Month.parse(month).first),
        required=True,
    )
)
with reading() as db:
    rows = revenue.margins(db, session.operator(), month=month)
    monthly = revenue.recurring(db, session.operator())
    owed = revenue.receivables(db, session.operator())

late = [row for row in owed if row.days_late > 0]
kpi_row(
    of_sums(
        "Recurring a month",
        list(monthly.values()),
        help="Fees of plans, and what contracts promise for a month. What is used comes on top.",
    ),
    of_sums(f"Revenue in {words.month(month.first)}", [row.revenue for row in rows]),
    of_sums("Margin after devices", [row.margin for row in rows]),
    of_sums(
        "Overdue",
        [row.owed for row in late],
        note=words.count(len(late), "invoice"),
        note_colour="red" if late else "gray",
    ),
)
st.subheader("Margin by workspace", anchor=False)
if rows:
    margin_chart(rows)
    margin_table(rows)
else:
    empty_state("No revenue yet", "Workspaces that use something stand here.", icon=":material/monitoring:")
st.subheader("What is owed, by age", anchor=False)
floor = -1
table = []
for ceiling, name in AGES:
    of_age = [row.owed for row in owed if floor < row.days_late <= ceiling]
    table.append({"Age": name.capitalize(), "Invoices": len(of_age), "Owed": sums(of_age)})
    floor = ceiling
right = st.column_config.TextColumn(alignment="right")
st.dataframe(pd.DataFrame(table), hide_index=True, column_config={"Owed": right})
