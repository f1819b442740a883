"""Use over the days of a month, and by whom."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import streamlit as st

from portal import format as words
from portal.components.chart import clickable_chart
from portal.components.usage_events import events_table
from portal.highlight import literal
from portal.use_charts import by_day
from services.accounts import keys, team
from services.accounts.scope import Member
from services.billing.comparing import OnPlan
from services.billing.service import DaySpend
from services.db import reading
from services.metering import service as metering
from services.metering.meters import METERS, TRAINING_SECONDS, Meter
from services.metering.service import UseBy
from services.registry import service as registry

SPEND = "Spend"
_EVENTS_SHOWN = 200
_WHO = {
    UseBy.model: "Model",
    UseBy.key: "API key",
    UseBy.member: "Member",
    UseBy.device: "Device",
}
# Where an event names nobody of a kind.
_NOBODY = {
    UseBy.model: "Training jobs",
    UseBy.key: "From the pages",
    UseBy.member: "By API key",
    UseBy.device: "No device",
}


def day_chart(
    member: Member,
    days: Sequence[date],
    spend: Sequence[DaySpend],
    *,
    meters: Sequence[str],
    currency: str,
    time_zone: str,
) -> None:
    """Spend by price, or a used meter by model, key, member or device, by day; a click opens its events."""
    titles = {meter.title: meter for meter in METERS.values() if meter.name in meters}
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        view = _choose("Show", [SPEND, *titles], key="show")
        meter = titles.get(view)
        by = (
            UseBy(_choose("Split by", list(_WHO), key="split", words=_WHO.__getitem__))
            if meter
            else UseBy.meter
        )
    parts, ids = _of_meter(member, days, meter, by) if meter else (_of_spend(days, spend), {})
    if not any(any(values) for values in parts.values()):
        st.caption("Nothing to draw: amounts below a cent, or no use of this kind in this month.")
        return
    with st.container(border=True):
        clicked = clickable_chart(
            by_day(days, parts, unit=f"{meter.unit}s" if meter else currency), key=f"by_day:{view}:{by}"
        )
    if clicked is None:
        st.caption(
            "Click a bar to see the events that it counts." if meter else "Choose a meter to open its events."
        )
    elif meter:
        part = list(parts)[clicked[1]]
        _opened(member, date.fromisoformat(clicked[0][:10]), meter, by, part, ids.get(part), time_zone)


def _choose(label: str, options: Sequence[str], *, key: str, words: Callable[[Any], str] = str) -> str:
    """One of several, kept in the address."""
    chosen: str = st.segmented_control(
        label,
        options,
        default=options[0],
        required=True,
        format_func=words,
        label_visibility="collapsed",
        key=key,
        bind="query-params",
    )
    return chosen


def _of_spend(days: Sequence[date], spend: Sequence[DaySpend]) -> dict[str, list[float]]:
    place = {day: number for number, day in enumerate(days)}
    parts: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(days))
    for item in spend:
        if item.day in place:
            parts[item.title][place[item.day]] += float(item.amount.amount)
    return parts


def _of_meter(
    member: Member, days: Sequence[date], meter: Meter, by: UseBy
) -> tuple[dict[str, list[float]], dict[str, str | None]]:
    """Each part's days, and its id by its name."""
    place = {day: number for number, day in enumerate(days)}
    parts: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(days))
    ids: dict[str, str | None] = {}
    names = _names(member, by)
    with reading() as db:
        found = metering.by_day(db, member, first=days[0], last=days[-1], by=by)
    for use in found:
        if use.meter == meter.name:
            who = names.get(use.by, use.by) if use.by else _NOBODY[by]
            ids[who] = use.by
            parts[who][place[use.day]] += float(use.quantity)
    return parts, ids


def _opened(
    member: Member, day: date, meter: Meter, by: UseBy, part: str, part_id: str | None, time_zone: str
) -> None:
    """The events of one bar."""
    with reading() as db:
        page = metering.events(
            db, member, first=day, last=day, meter=meter.name, of=(by, part_id), limit=_EVENTS_SHOWN
        )
    st.markdown(f"**{words.day(day)}, {literal(part)}**")
    events_table(member, page.events, time_zone=time_zone, meter=meter.name)
    if page.next_after:
        st.caption(f"The newest {_EVENTS_SHOWN} events of the day.")


def plan_table(plans: Sequence[OnPlan]) -> None:
    """What the month would have come to on every plan."""
    cheapest = plans[0]
    own = next((plan for plan in plans if plan.current), None)
    st.subheader("Which plan would have been cheaper?", anchor=False)
    if own is None or cheapest.amount == own.amount:
        st.caption("Yours is the cheapest for the use of this month.")
    else:
        saved = words.amount(own.amount - cheapest.amount)
        st.caption(f"{literal(cheapest.title)} would have been {saved} cheaper for the use of this month.")
    st.dataframe(
        {
            "Plan": [f"{plan.title} (yours)" if plan.current else plan.title for plan in plans],
            "Use and fee": [words.amount(plan.amount) for plan in plans],
        },
        column_config={"Use and fee": st.column_config.TextColumn(alignment="right")},
        hide_index=True,
        alt="What the month would have come to on every plan",
    )


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
            case UseBy.device:
                return {"cpu": "CPU", "cuda": "GPU"}
            case UseBy.key:
                return {key.id: key.name for key in keys.list_keys(db, member)}
            case _:
                return {person.user_id: person.name for person in team.colleagues(db, member)}
