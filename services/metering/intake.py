"""The door for usage that others measured: a batch of CloudEvents, each judged by itself.

What is right is kept and what is wrong is named, so that nothing is lost; and because an id counts once, the
whole batch may be sent again after it was corrected, so that nothing is doubled.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col

from services import clock
from services.accounts.scope import Member, owned
from services.errors import Invalid
from services.metering.cloudevents import NotACloudEvent, from_cloud_event, source_of
from services.metering.recording import insert
from services.metering.tables import UsageEvent
from services.metering.usage import NewUsage

# Use is told late when a network is down; after this its month is long closed.
OLDEST = timedelta(days=35)
# What the clocks of two machines may differ by.
AHEAD = timedelta(minutes=5)


class FromTheFuture(Invalid):
    """An event has not happened yet."""

    code = "usage_from_the_future"

    def __init__(self, event_id: str, at: datetime) -> None:
        super().__init__(
            f"The usage event “{event_id}” is of {at:%Y-%m-%d %H:%M:%S %Z}, which is yet to come. Set "
            "the clock of whoever measured it, and send it again with the right time."
        )
        self.event_id, self.at = event_id, at


class TooOld(Invalid):
    """An event is older than what still can be invoiced."""

    code = "usage_too_old"

    def __init__(self, event_id: str, at: datetime) -> None:
        super().__init__(
            f"The usage event “{event_id}” is of {at:%Y-%m-%d}, more than {OLDEST.days} days ago. It is "
            "too late to count it; write to us if it must be."
        )
        self.event_id, self.at = event_id, at


class ToldDifferently(Invalid):
    """An id is known, for another fact."""

    code = "usage_told_differently"

    def __init__(self, event_id: str) -> None:
        super().__init__(
            f"The usage event “{event_id}” is in the ledger already, with another meter, quantity or "
            "time. What is written there never changes; give a new fact an id of its own."
        )
        self.event_id = event_id


class SourceIsOurs(Invalid):
    """An event from outside in the name of the product itself."""

    code = "source_is_ours"

    def __init__(self, event_id: str) -> None:
        super().__init__(
            f"The usage event “{event_id}” names the workspace itself as its source, which only the product "
            "does. Name whatever measured it."
        )
        self.event_id = event_id


@dataclass(frozen=True, slots=True)
class Refused:
    """One event of a batch that was not kept; `position` counts from 0, `id` is as it was sent, if it was."""

    position: int
    id: str | None
    error: Invalid


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a batch: its events are the three together."""

    inserted: int
    duplicates: int
    refused: list[Refused]


def receive(
    session: Session, member: Member, *, batch: Iterable[Mapping[str, Any]], from_outside: bool = False
) -> Received:
    """Record those CloudEvents of the member's workspace that can be; the others are named with reasons.

    What comes `from_outside` may not name the workspace as its source: it could take the id of a fact that
    the product is yet to record.
    """
    now = clock.now()
    good: dict[int, NewUsage] = {}
    refused: list[Refused] = []
    for position, sent in enumerate(batch):
        try:
            good[position] = _checked(sent, member.tenant_id, now, from_outside=from_outside)
        except Invalid as error:
            told = sent.get("id") if isinstance(sent, Mapping) else None
            refused.append(Refused(position, told if isinstance(told, str) else None, error))

    # Of one id told twice in a batch the first one counts; the second must say the same.
    first_of = {usage.id: usage for usage in reversed(good.values())}
    new = {event_id for _, event_id in insert(session, list(first_of.values()))}
    known = _known(session, member, first_of.keys() - new)
    duplicates = 0
    counted: set[str] = set()
    for position, usage in good.items():
        if usage.id in new and usage.id not in counted:
            counted.add(usage.id)
        elif _fact(usage) == _fact(known.get(usage.id, first_of[usage.id])):
            duplicates += 1
        else:
            refused.append(Refused(position, usage.id, ToldDifferently(usage.id)))
    return Received(len(counted), duplicates, sorted(refused, key=lambda one: one.position))


def _checked(sent: object, tenant_id: str, now: datetime, *, from_outside: bool) -> NewUsage:
    if not isinstance(sent, Mapping):
        raise NotACloudEvent("it is no object")
    usage = from_cloud_event(sent, tenant_id)
    if from_outside and sent["source"] == source_of(tenant_id):
        raise SourceIsOurs(usage.id)
    if usage.at > now + AHEAD:
        raise FromTheFuture(usage.id, usage.at)
    if usage.at < now - OLDEST:
        raise TooOld(usage.id, usage.at)
    return usage


def _known(session: Session, member: Member, event_ids: Iterable[str]) -> dict[str, UsageEvent]:
    wanted = sorted(event_ids)
    found: dict[str, UsageEvent] = {}
    for start in range(0, len(wanted), 500):
        some = owned(UsageEvent, member).where(col(UsageEvent.id).in_(wanted[start : start + 500]))
        found |= {event.id: event for event in session.exec(some)}
    return found


def _fact(event: NewUsage | UsageEvent) -> tuple[object, ...]:
    return event.meter, event.quantity, event.at
