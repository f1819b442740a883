"""Use over the days of a month, and by whom."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import streamlit as st

from portal import format as words
from portal.charts import by_day
from portal.components.chart import chart
from services.accounts import keys, team
from services.accounts.scope import Member
from services.billing.service import DaySpend
from services.db import reading
from services.metering import service as metering
from services.metering.meters import METERS, TRAINING_SECONDS, Meter
from services.metering.service import UseBy
from services.registry import service as registry

_SPEND = "Spend"
_WHO = {UseBy.model: "Model", UseBy.key: "API key", UseBy.member: "Member"}
# Where an event names nobody of a kind.
_NOBODY = {UseBy.model: "Training jobs", UseBy.key: "From the pages", UseBy.member: "By API key"}


def day_chart(member: Member, days: Sequence[date], spend: Sequence[DaySpend], *, currency: str) -> None:
    """Spend, or one meter's use by model, for each day; the choice stands in the address."""
    titles = {meter.title: meter for meter in METERS.values()}
    view = st.segmented_control(
        "Show",
        [_SPEND, *titles],
        default=_SPEND,
        required=True,
        label_visibility="collapsed",
        key="show",
        bind="query-params",
    )
    place = {day: number for number, day in enumerate(days)}
    parts: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(days))
    if view == _SPEND:
        unit = currency
        for item in spend:
            parts[item.title][place[item.day]] += float(item.amount.amount)
    else:
        meter = titles[view]
        unit = f"{meter.unit}s"
        names = _names(member, UseBy.model)
        with reading() as db:
            found = metering.by_day(db, member, first=days[0], last=days[-1], by=UseBy.model)
        for use in found:
            if use.meter == meter.name:
                who = names.get(use.by, use.by) if use.by else _NOBODY[UseBy.model]
                parts[who][place[use.day]] += float(use.quantity)
    if not any(any(values) for values in parts.values()):
        st.caption("Nothing to draw: amounts below a cent, or no use of this kind in this month.")
        return
    with st.container(border=True):
        chart(by_day(days, parts, unit=unit), key="by_day")


def share_table(member: Member, first: date, last: date) -> None:
    """A line for each model, key or member, a column for each meter."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader("By whom", anchor=False)
        by = st.segmented_control(
            "By",
            list(_WHO),
            default=UseBy.model,
            required=True,
            format_func=_WHO.__getitem__,
            label_visibility="collapsed",
            key="by",
            bind="query-params",
        )
    with reading() as db:
        found = metering.by_day(db, member, first=first, last=last, by=by)
    names = _names(member, by)
    sums: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for use in found:
        who = names.get(use.by, use.by) if use.by else _NOBODY[by]
        sums[who][use.meter] += use.quantity
    used = [meter for meter in METERS.values() if any(of[meter.name] for of in sums.values())]
    columns = {
        _column(meter): st.column_config.TextColumn(alignment="right")
        if meter is TRAINING_SECONDS
        else st.column_config.NumberColumn(format="localized")
        for meter in used
    }
    st.dataframe(
        {
            _WHO[by]: list(sums),
            **{_column(meter): [_shown(meter, of[meter.name]) for of in sums.values()] for meter in used},
        },
        column_config=columns,
        placeholder="–",
        hide_index=True,
        alt=f"Use by {_WHO[by].lower()}",
    )


def _shown(meter: Meter, quantity: Decimal) -> str | float | None:
    if not quantity:
        return None
    return words.duration(float(quantity)) if meter is TRAINING_SECONDS else float(quantity)


def _column(meter: Meter) -> str:
    plural = f"{meter.unit}s"
    told = meter is TRAINING_SECONDS or plural in meter.title.lower()
    return meter.title if told else f"{meter.title} ({plural})"


def _names(member: Member, by: UseBy) -> dict[str, str]:
    with reading() as db:
        match by:
            case UseBy.model:
                return {
                    version.id: f"{model.name}, version {version.number}"
                    for model in registry.models(db, member)
                    for version in registry.versions(db, member, model_id=model.id)
                }
            case UseBy.key:
                return {key.id: key.name for key in keys.list_keys(db, member)}
            case _:
                return {person.user_id: person.name for person in team.colleagues(db, member)}
