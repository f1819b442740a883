"""Single usage events, as CloudEvents."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from services.api.deps import Caller
from services.api.limits import MAX_PAGE
from services.billing.calendars import this_month, today
from services.db import reading
from services.metering import service as metering
from services.metering.cloudevents import to_cloud_event
from services.metering.meters import meter as known_meter

router = APIRouter(prefix="/v1/usage", tags=["usage"])


class UsageEvents(BaseModel):
    """CloudEvents 1.0, newest first; `next_after` asks for the page behind, null where there is none."""

    object: Literal["list"] = "list"
    data: list[dict[str, Any]]
    has_more: bool
    next_after: str | None


@router.get("/events", summary="Single usage events")
def usage_events(
    caller: Caller,
    start: Annotated[date | None, Query(description="First day, by default that of this month.")] = None,
    end: Annotated[date | None, Query(description="Last day, included; by default today.")] = None,
    meter: Annotated[str | None, Query(description="Only of this meter.")] = None,
    subject: Annotated[str | None, Query(description="Only of this job or model version.")] = None,
    after: Annotated[str | None, Query(description="The `next_after` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
) -> UsageEvents:
    """What every figure is made of, exactly as it is sealed in the ledger."""
    if meter is not None:
        known_meter(meter)
    with reading() as db:
        last = end or today(db, caller)
        first = start or min(this_month(db, caller).first, last)
        page = metering.events(
            db, caller, first=first, last=last, meter=meter, subject=subject, after=after, limit=limit
        )
    return UsageEvents(
        data=[to_cloud_event(event) for event in page.events],
        has_more=page.next_after is not None,
        next_after=page.next_after,
    )
