"""What a caller may ask of the ledger: write each fact once, and add up by day of the tenant's calendar."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import and_, or_
from sqlmodel import Session, col

from services.accounts.scope import Member, find, owned
from services.metering.meters import METERS
from services.metering.recording import Recorded as Recorded
from services.metering.recording import record as record
from services.metering.rollups import dimensions
from services.metering.sums import Sum, instants, summed
from services.metering.tables import UsageEvent
from services.metering.usage import Use

# Properties that a price can depend on; each is a column of an hour of use.
PRICED_PROPERTIES = tuple(sorted({name for meter in METERS.values() for name in meter.needs}))


class UseBy(StrEnum):
    """What a day's use is divided by, beside the meter."""

    meter = "meter"
    model = "model"
    key = "key"
    member = "member"
    device = "device"
    job = "job"


# All that use is divided by, in the names of an hour's columns.
WHOLE = ("job_id", "model_version_id", "key_id", "user_id", "device_class")
_DIMENSIONS: dict[UseBy, list[str]] = {
    UseBy.meter: [],
    UseBy.model: ["model_version_id"],
    UseBy.key: ["key_id"],
    UseBy.member: ["user_id"],
    UseBy.device: ["device_class"],
    UseBy.job: ["job_id"],
}


@dataclass(frozen=True, slots=True)
class DayUse:
    """A day's use of one meter by one model version, key, member, device class or job (None: by none)."""

    day: date
    meter: str
    by: str | None
    quantity: Decimal
    events: int


@dataclass(frozen=True, slots=True)
class MeterTotal:
    """All use of one meter."""

    meter: str
    quantity: Decimal
    events: int


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events, newest first; `next_after` asks for the page behind, None where there is none."""

    events: list[UsageEvent]
    next_after: str | None


def by_day(
    session: Session, member: Member, *, first: date, last: date, by: UseBy = UseBy.meter
) -> list[DayUse]:
    """Use of each day from `first` to `last` (both included), oldest first; days without use are left out.

    Raises:
        UnusableDays: no range, or too long a one.
    """
    sums = summed(session, member, first, last, _DIMENSIONS[by])
    found = [DayUse(of.day, of.meter, (of.by or ("",))[0] or None, of.quantity, of.events) for of in sums]
    return sorted(found, key=lambda use: (use.day, use.meter, use.by or ""))


def breakdown(session: Session, member: Member, *, first: date, last: date) -> list[Sum]:
    """Use of each day by everything that is known of it, `WHOLE`.

    Raises:
        UnusableDays: no range, or too long a one.
    """
    return summed(session, member, first, last, WHOLE)


def totals(session: Session, member: Member, *, first: date, last: date) -> list[MeterTotal]:
    """All use from `first` to `last` (both included), a figure per meter, by the meter's name.

    Raises:
        UnusableDays: no range, or too long a one.
    """
    by_meter: dict[str, MeterTotal] = {}
    for use in by_day(session, member, first=first, last=last):
        so_far = by_meter.get(use.meter, MeterTotal(use.meter, Decimal(0), 0))
        by_meter[use.meter] = MeterTotal(
            use.meter, so_far.quantity + use.quantity, so_far.events + use.events
        )
    return [by_meter[meter] for meter in sorted(by_meter)]


def uses(session: Session, member: Member, *, first: date, last: date) -> list[Use]:
    """The same use as prices see it: per day, meter, subject and the properties a price can depend on.

    Raises:
        UnusableDays: no range, or too long a one.
    """
    by_subject = summed(session, member, first, last, ["job_id", "model_version_id", *PRICED_PROPERTIES])
    return [
        Use(
            meter=of.meter,
            subject=job_id or model_version_id,
            day=of.day,
            quantity=of.quantity,
            events=of.events,
            properties={
                name: value for name, value in zip(PRICED_PROPERTIES, properties, strict=True) if value
            },
        )
        for of in by_subject
        for job_id, model_version_id, *properties in [of.by]
    ]


def events(
    session: Session,
    member: Member,
    *,
    first: date,
    last: date,
    meter: str | None = None,
    subject: str | None = None,
    properties: Mapping[str, str] | None = None,
    of: tuple[UseBy, str | None] | None = None,
    until: int | None = None,
    limit: int = 100,
    after: str | None = None,
) -> EventPage:
    """Single events from `first` to `last` (both included), newest first.

    `subject` is a job or a model version; `of` is a part that use was divided into;
    `until` is the serial of the last one, and leaves out what was told later.

    Raises:
        UnusableDays: no range, or too long a one.
        NotFound: `after` is no event of this workspace.
    """
    begin, end = instants(session, member, first, last)
    statement = owned(UsageEvent, member).where(col(UsageEvent.at) >= begin, col(UsageEvent.at) < end)
    if meter is not None:
        statement = statement.where(UsageEvent.meter == meter)
    if subject is not None:
        statement = statement.where(
            or_(col(UsageEvent.job_id) == subject, col(UsageEvent.model_version_id) == subject)
        )
    for name, value in (properties or {}).items():
        statement = statement.where(col(UsageEvent.properties)[name].as_string() == value)
    if of is not None and (names := _DIMENSIONS[of[0]]):
        dimension = dimensions(session.get_bind().dialect.name)[names[0]]
        statement = statement.where(dimension == (of[1] or ""))
    if until is not None:
        statement = statement.where(col(UsageEvent.serial) <= until)
    if after is not None:
        seen = find(session, member, UsageEvent, after, "usage event")
        at, event_id = col(UsageEvent.at), col(UsageEvent.id)
        statement = statement.where(or_(at < seen.at, and_(at == seen.at, event_id < seen.id)))
    newest_first = statement.order_by(col(UsageEvent.at).desc(), col(UsageEvent.id).desc())
    found = list(session.exec(newest_first.limit(limit + 1)))
    return EventPage(found[:limit], found[limit - 1].id if len(found) > limit else None)
