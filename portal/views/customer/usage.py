"""Usage: what was used, what it came to, and by whom."""

import streamlit as st

from portal import format as words
from portal import session
from portal.components.choice import choice
from portal.components.empty import empty_state
from portal.components.header import page_header
from portal.components.kpi import Kpi, kpi_row
from portal.components.usage_parts import day_chart, share_table
from services import clock
from services.accounts import service as accounts
from services.billing import service as billing
from services.billing.period import Month
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


page_header("Usage", "What was used, what it came to, and by whom. Every figure comes from single events.")

with reading() as db:
    tenant = accounts.get_tenant(db, member)
known = {
    str(month): words.month(month.first)
    for month in months(
        Month.of(tenant.created_at, tenant.time_zone), Month.of(clock.now(), tenant.time_zone)
    )
}
month = Month.parse(choice("Month", known, param="month", width=240))
with reading() as db:
    spend = billing.month_spend(db, member, month=month)
    by_day = billing.spend_by_day(db, member, month=month)
    used = {total.meter: total for total in metering.totals(db, member, first=month.first, last=month.last)}
    credit = billing.credit_left(db, member) if billing.on_trial(db, member) else None

predictions, training = used.get(PREDICTIONS.name), used.get(TRAINING_SECONDS.name)
kpi_row(
    Kpi("Spend", words.amount(spend), note="before credit and tax"),
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

until = min(month.last, day_of(clock.now(), tenant.time_zone))
day_chart(member, days(month.first, until), by_day, currency=spend.currency)
share_table(member, month.first, month.last)
