"""What was used, by day."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.api.deps import Caller
from services.api.shapes import Exact
from services.billing.calendars import this_month, today
from services.db import reading
from services.metering import service as metering
from services.metering.service import UseBy

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
    """Use between two days of the workspace's calendar, both included."""

    object: Literal["usage"] = "usage"
    start: date
    end: date
    group_by: UseBy
    data: list[DayOfUse]
    totals: list[MeterSum]


@router.get("", summary="Usage by day")
def usage(
    caller: Caller,
    start: Annotated[date | None, Query(description="First day, by default that of this month.")] = None,
    end: Annotated[date | None, Query(description="Last day, included; by default today.")] = None,
    group_by: UseBy = UseBy.meter,
) -> Usage:
    """What every meter counted on each day, and in all; at most 400 days."""
    with reading() as db:
        last = end or today(db, caller)
        first = start or min(this_month(db, caller).first, last)
        days = metering.by_day(db, caller, first=first, last=last, by=group_by)
        totals = metering.totals(db, caller, first=first, last=last)
    return Usage(
        start=first,
        end=last,
        group_by=group_by,
        data=[
            DayOfUse(day=use.day, meter=use.meter, by=use.by, quantity=use.quantity, events=use.events)
            for use in days
        ],
        totals=[MeterSum(meter=sum_.meter, quantity=sum_.quantity, events=sum_.events) for sum_ in totals],
    )
