"""Single usage events, as CloudEvents."""

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from services.accounts.scope import Member
from services.api.deps import Caller, UsageCaller
from services.api.limits import MAX_EVENTS, MAX_PAGE
from services.api.refusals import BadRequest
from services.billing.calendars import this_month, today
from services.db import reading, transaction
from services.metering import intake
from services.metering import service as metering
from services.metering.cloudevents import BATCH_MEDIA_TYPE, MEDIA_TYPE, read_events, to_cloud_event
from services.metering.intake import Received
from services.metering.meters import meter as known_meter

router = APIRouter(prefix="/v1/usage", tags=["usage"])
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            MEDIA_TYPE: {"schema": {"type": "object"}},
            BATCH_MEDIA_TYPE: {"schema": {"type": "array", "items": {"type": "object"}}},
        },
    }
}


class UsageEvents(BaseModel):
    """CloudEvents 1.0, newest first; `next_after` asks for the page behind, null where there is none."""

    object: Literal["list"] = "list"
    data: list[dict[str, Any]]
    has_more: bool
    next_after: str | None


class RefusedEvent(BaseModel):
    """An event that was not kept; `position` counts from 0 in what was sent."""

    position: int
    id: str | None
    code: str
    message: str


class Receipt(BaseModel):
    """What became of the events: the three together are all that were sent."""

    object: Literal["receipt"] = "receipt"
    inserted: int
    duplicates: int
    refused: list[RefusedEvent]


@router.post("/events", summary="Tell of use that was measured elsewhere", openapi_extra=_BODY)
async def tell_usage(request: Request, caller: UsageCaller) -> Receipt:
    """One CloudEvent, or up to 1,000 in a list; each is judged by itself, and sending them again is safe.

    Needs a key that the operator made for this. A single event that cannot be kept is refused as a whole.
    """
    batch = read_events(await request.body())
    if len(batch) > MAX_EVENTS:
        raise BadRequest(f"At most {MAX_EVENTS:,} events are taken at once. Send them in several requests.")
    received = await run_in_threadpool(_received, caller, batch)
    is_single = not request.headers.get("content-type", "").startswith(BATCH_MEDIA_TYPE)
    if is_single and len(batch) == 1 and received.refused:
        raise received.refused[0].error
    return Receipt(
        inserted=received.inserted,
        duplicates=received.duplicates,
        refused=[
            RefusedEvent(position=one.position, id=one.id, code=one.error.code, message=one.error.message)
            for one in received.refused
        ],
    )


def _received(caller: Member, batch: list[Any]) -> Received:
    with transaction() as db:
        return intake.receive(db, caller, batch=batch, from_outside=True)


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
