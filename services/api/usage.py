"""What was used, by day."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.api.deps import Caller
from services.api.limits import MAX_DAYS_OF_USE
from services.api.shapes import Exact
from services.billing.calendars import this_month, today
from services.db import reading
from services.metering import service as metering
from services.metering.service import DayUse, UseBy

router = APIRouter(prefix="/v1/usage", tags=["usage"])


class DayOfUse(BaseModel):
    """A day's use of one meter; `by` is the model version, key or person that `group_by` asked for."""

    day: date
    meter: str
    by: str | None
    quantity: Exact
    events: int


class MeterSum(BaseModel):
    """All use of one meter between `start` and `end`."""

    meter: str
    quantity: Exact
    events: int


class Usage(BaseModel):
    """Use between two days of the workspace's calendar, both included, oldest first.

    `totals` are of all days, whatever the page; `next_after` asks for the page behind this one.
    """

    object: Literal["usage"] = "usage"
    start: date
    end: date
    group_by: UseBy
    data: list[DayOfUse]
    totals: list[MeterSum]
    has_more: bool
    next_after: str | None


@router.get("", summary="Usage by day")
def usage(
    caller: Caller,
    start: Annotated[date | None, Query(description="First day, by default that of this month.")] = None,
    end: Annotated[date | None, Query(description="Last day, included; by default today.")] = None,
    group_by: UseBy = UseBy.meter,
    after: Annotated[str | None, Query(description="The `next_after` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_DAYS_OF_USE)] = MAX_DAYS_OF_USE,
) -> Usage:
    """What every meter counted on each day, and in all; at most 400 days."""
    with reading() as db:
        last = end or today(db, caller)
        first = start or min(this_month(db, caller).first, last)
        days = metering.by_day(db, caller, first=first, last=last, by=group_by)
        totals = metering.totals(db, caller, first=first, last=last)
    behind = [use for use in days if after is None or _place(use) > after]
    return Usage(
        start=first,
        end=last,
        group_by=group_by,
        data=[
            DayOfUse(day=use.day, meter=use.meter, by=use.by, quantity=use.quantity, events=use.events)
            for use in behind[:limit]
        ],
        totals=[MeterSum(meter=sum_.meter, quantity=sum_.quantity, events=sum_.events) for sum_ in totals],
        has_more=len(behind) > limit,
        next_after=_place(behind[limit - 1]) if len(behind) > limit else None,
    )


def _place(use: DayUse) -> str:
    # Of the same order as the rows.
    return f"{use.day}/{use.meter}/{use.by or ''}"
