"""Usage: what was used, what it came to, what the month will come to, and by whom."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

import streamlit as st

from portal import format as words
from portal import session
from portal.components.chart import chart
from portal.components.choice import choice
from portal.components.download import download_link
from portal.components.empty import empty_state
from portal.components.header import page_header
from portal.components.kpi import Kpi, kpi_row
from portal.components.usage_parts import day_chart, plan_table, share_table
from portal.forecast import Forecast, beside_use, month_end, with_charges
from portal.use_charts import spend_to_date
from services import clock
from services.accounts import service as accounts
from services.billing import budgets
from services.billing import service as billing
from services.billing.comparing import on_every_plan
from services.billing.money import Money
from services.billing.period import Month
from services.billing.service import DaySpend
from services.db import reading
from services.metering import service as metering
from services.metering.days import day_of, days
from services.metering.meters import PREDICTIONS, TRAINING_SECONDS

_MONTHS_SHOWN = 24

member = session.member()


def months(since: Month, until: Month) -> list[Month]:
    """From the present month back, up to two years."""
    found = [since]
    while found[-1] < until:
        found.append(found[-1].next)
    return found[: -_MONTHS_SHOWN - 1 : -1]


def daily(spend: Sequence[DaySpend], of: Sequence[date]) -> list[float]:
    """The spend of each day, in major units."""
    sums: dict[date, float] = defaultdict(float)
    for item in spend:
        sums[item.day] += float(item.amount.amount)
    return [sums[day] for day in of]


def with_fees(days: Sequence[float], fixed: float, missing: float) -> list[float]:
    """Days with what is charged in any case on the first, and what a commitment lacks on the last."""
    amounts = list(days)
    if amounts:
        amounts[0] += fixed
        amounts[-1] += missing
    return amounts


def against(spent: float, before: float, month_before: Month) -> str:
    """How the use compares with the same days of the month before."""
    if not before:
        return "before credit and tax"
    change = spent / before - 1
    return f"use {'+' if change >= 0 else '−'}{words.percent(abs(change), 0)} against {month_before.first:%B}"


def expected(forecast: Forecast | None, currency: str) -> Kpi:
    """What the month will come to."""
    if forecast is None:
        return Kpi("Month’s end", "–", note="nothing yet to tell it by")
    low, likely, high = (
        words.amount(Money(round(value * 100) * 10_000, currency))
        for value in (forecast.low, forecast.likely, forecast.high)
    )
    return Kpi(
        "Month’s end",
        likely,
        note=f"{low} to {high}" if low != high else "by your commitment",
        help="Likely, from the pace of the last 28 days. In eight months of ten the end lies in this range.",
    )


with reading() as db:
    tenant = accounts.get_tenant(db, member)
known = {
    str(month): words.month(month.first)
    for month in months(
        Month.of(tenant.created_at, tenant.time_zone), Month.of(clock.now(), tenant.time_zone)
    )
}
chosen = st.query_params.get("month", "")
shown_month = chosen if chosen in known else next(iter(known))
with page_header("Usage", "What was used, what it came to, and by whom, down to single events."):
    download_link("CSV", "usage-csv", shown_month)

month = Month.parse(choice("Month", known, param="month", width=240))
today = day_of(clock.now(), tenant.time_zone)
every_day, days_before = days(month.first, month.last), days(month.previous.first, month.previous.last)
so_far = [day for day in every_day if day <= today]
with reading() as db:
    by_price = billing.spend_by_day(db, member, month=month)
    before = daily(billing.spend_by_day(db, member, month=month.previous), days_before)
    spend = billing.month_spend(db, member, month=month)
    fixed, missing = beside_use(billing.month_charges(db, member, month=month))
    fixed_before, missing_before = beside_use(billing.month_charges(db, member, month=month.previous))
    used = {total.meter: total for total in metering.totals(db, member, first=month.first, last=month.last)}
    credit = billing.credit_left(db, member) if billing.on_trial(db, member) else None
    plans = on_every_plan(db, member, month=month) if used else []
    budget = budgets.standing(db, member) if month.last > today else None

spent = daily(by_price, so_far)
by_use = month_end(before, spent, len(every_day) - len(so_far)) if month.last > today else None
forecast = with_charges(by_use, fixed=fixed, least=sum(spent) + missing) if by_use else None
predictions, training = used.get(PREDICTIONS.name), used.get(TRAINING_SECONDS.name)
kpi_row(
    Kpi(
        "Spend",
        words.amount(spend),
        note=against(sum(spent), sum(before[: len(so_far)]), month.previous),
        help="With fees and commitments, before credit and tax. Use is compared with the same days of the "
        "month before.",
    ),
    *([expected(forecast, spend.currency)] if month.last > today and used and credit is None else []),
    Kpi(
        "Predictions",
        words.count(predictions.quantity) if predictions else "0",
        note=words.count(predictions.events, "call") if predictions else "none yet",
    ),
    Kpi(
        "Training",
        words.duration(float(training.quantity)) if training else "0 s",
        note=words.count(training.events, "job") if training else "none yet",
    ),
    *(
        [Kpi("Trial credit left", words.amount(credit), note="use stops when it is spent")]
        if credit is not None
        else []
    ),
)

if not used:
    empty_state(
        "Nothing used in this month",
        "Training and predictions show up here as they happen, from the pages and from your programs.",
        icon=":material/monitoring:",
    )
    st.stop()

day_chart(member, so_far, by_price, meters=list(used), currency=spend.currency, time_zone=tenant.time_zone)
if sum(spent):
    limit = float(budget.budget.amount) if budget else None
    end = (forecast.low, forecast.likely, forecast.high) if forecast else None
    with st.container(border=True):
        figure = spend_to_date(
            every_day,
            with_fees(spent, fixed, 0 if forecast else missing),
            with_fees(before, fixed_before, missing_before),
            currency=spend.currency,
            end=end,
            budget=limit,
        )
        chart(figure, key="to_date")
share_table(member, month.first, month.last)
if len(plans) > 1:
    plan_table(plans)
