"""Hours of use are what their events say, in every time zone and however far they have come."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from sqlalchemy import event as hooks
from sqlalchemy import update
from sqlmodel import Session, col, func, select

from services import clock
from services.accounts.scope import Member
from services.metering import rollups
from services.metering import service as metering
from services.metering.days import day_of
from services.metering.recording import settled
from services.metering.service import UseBy
from services.metering.tables import UsageEvent, UsageHour
from tests import factories
from tests.services.metering.factories import NOON, predictions, training

# Clocks that are off by whole hours, half and three quarter hours, and that change while we look.
ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"]
FIRST, LAST = date(2026, 10, 20), date(2026, 11, 5)


def create_events(member: Member, chance: Random, count: int) -> None:
    since = datetime(2026, 10, 19, tzinfo=UTC)
    for _ in range(count):
        at = since + timedelta(seconds=chance.randrange(18 * 86_400), microseconds=chance.randrange(10**6))
        if chance.random() < 0.3:
            device = chance.choice(["cpu", "cuda"])
            yield training(member.tenant_id, at=at, seconds=f"{chance.random():.6f}", device_class=device)
        else:
            yield predictions(
                member.tenant_id,
                at=at,
                texts=chance.randrange(1, 9),
                model_version_id=chance.choice(["mv_1", "mv_2"]),
                key_id=chance.choice([None, "key_1"]),
                user_id=chance.choice([None, "usr_1", "usr_2"]),
            )


def advance(session: Session, member: Member) -> None:
    until = settled(session, member.tenant_id)
    while rollups.advance(session, member.tenant_id, until=until):
        pass


def raw(session: Session, member: Member, zone: str, by: str) -> dict[tuple[date, str, str | None], Decimal]:
    """The same sums in Python, event by event."""
    sums: dict[tuple[date, str, str | None], Decimal] = {}
    for event in session.exec(select(UsageEvent).where(UsageEvent.tenant_id == member.tenant_id)):
        values = {**event.properties, **event.model_dump()}
        place = day_of(event.at, zone), event.meter, values.get(by)
        if FIRST <= place[0] <= LAST:
            sums[place] = sums.get(place, Decimal(0)) + event.quantity
    return sums


@pytest.mark.parametrize("zone", ZONES)
def test_sums_through_hours_are_the_sums_of_events(
    session: Session, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollups, "STRETCH", 37)
    member = factories.create_member(session, tenant_id=factories.create_tenant(session, time_zone=zone).id)
    columns = {
        UseBy.meter: "",
        UseBy.model: "model_version_id",
        UseBy.key: "key_id",
        UseBy.member: "user_id",
        UseBy.device: "device_class",
    }
    chance = Random(zone)
    # Nothing is added up yet; then most is, and the rest is read from the events.
    for _ in range(3):
        metering.record(session, list(create_events(member, chance, 120)))
        for by, column in columns.items():
            found = metering.by_day(session, member, first=FIRST, last=LAST, by=by)
            assert {(use.day, use.meter, use.by): use.quantity for use in found} == raw(
                session, member, zone, column
            )
        advance(session, member)
        metering.record(session, list(create_events(member, chance, 7)))


def test_events_are_added_up_once(session: Session, member: Member) -> None:
    metering.record(session, [predictions(member.tenant_id, texts=2) for _ in range(5)])
    for _ in range(3):
        advance(session, member)
    metering.record(session, [predictions(member.tenant_id, texts=2) for _ in range(5)])
    advance(session, member)

    [hour] = session.exec(select(UsageHour).where(UsageHour.tenant_id == member.tenant_id))
    assert (hour.hour, hour.quantity, hour.events) == (NOON, Decimal(20), 10)
    assert rollups.behind(session) == []


def test_who_is_behind_is_known(session: Session, member: Member) -> None:
    factories.create_member(session)
    metering.record(session, [predictions(member.tenant_id)])

    assert rollups.behind(session) == [member.tenant_id]


def test_hours_can_be_made_anew(session: Session, member: Member) -> None:
    metering.record(session, list(create_events(member, Random(1), 50)))
    advance(session, member)
    before = hours(session, member)

    rollups.rebuild(
        session,
        member.tenant_id,
        first=datetime(2026, 10, 1, tzinfo=UTC),
        until=datetime(2026, 12, 1, tzinfo=UTC),
    )

    assert hours(session, member) == before


def hours(session: Session, member: Member) -> list[object]:
    ordered = select(UsageHour).where(UsageHour.tenant_id == member.tenant_id)
    session.expire_all()
    return sorted(repr(sorted(hour.model_dump().items())) for hour in session.exec(ordered))


@pytest.mark.parametrize("change", ["quantity", "events", "lost", "invented"])
def test_an_hour_that_differs_is_found_and_made_anew(session: Session, member: Member, change: str) -> None:
    now = clock.now().replace(minute=0, second=0, microsecond=0)
    metering.record(
        session, [predictions(member.tenant_id, at=now - timedelta(days=9, hours=n)) for n in range(3)]
    )
    advance(session, member)
    of_hour = (
        update(UsageHour)
        .where(col(UsageHour.tenant_id) == member.tenant_id)
        .where(col(UsageHour.hour) == now - timedelta(days=9, hours=1))
    )
    if change == "quantity":
        session.execute(of_hour.values(quantity=Decimal("1.000001")))
    elif change == "events":
        session.execute(of_hour.values(events=2))
    elif change == "lost":
        session.delete(
            session.exec(select(UsageHour).where(UsageHour.tenant_id == member.tenant_id)).all()[1]
        )
    else:
        session.add(
            UsageHour(
                tenant_id=member.tenant_id,
                hour=now - timedelta(days=9, hours=1),
                meter="trained_tokens",
                quantity=Decimal(1),
                events=1,
            )
        )
    session.flush()

    # Older hours have their turn one stretch after another.
    found = [one for _ in range(6) for one in rollups.compare(session, member.tenant_id)]

    assert len(found) == 1
    assert [one for _ in range(6) for one in rollups.compare(session, member.tenant_id)] == []
    total = select(func.sum(UsageHour.events)).where(UsageHour.tenant_id == member.tenant_id)
    assert session.exec(total).one() == 3


@pytest.mark.parametrize("column", ["quantity", "events"])
@pytest.mark.parametrize("between", ["hours", "meters"])
def test_hours_whose_differences_cancel_out_are_found(
    session: Session, member: Member, column: str, between: str
) -> None:
    hour = clock.now().replace(minute=0, second=0, microsecond=0) - timedelta(days=2)
    other = hour - rollups.HOUR if between == "hours" else hour
    meter = predictions if between == "hours" else training
    metering.record(session, [predictions(member.tenant_id, at=hour), meter(member.tenant_id, at=other)])
    advance(session, member)
    agreed = rollups.differences(
        session, member.tenant_id, first=hour - rollups.HOUR, until=hour + rollups.HOUR
    )
    for more, one in zip((1, -1), session.exec(select(UsageHour)).all(), strict=True):
        setattr(one, column, getattr(one, column) + more)
    session.flush()

    found = rollups.differences(
        session, member.tenant_id, first=hour - rollups.HOUR, until=hour + rollups.HOUR
    )

    assert agreed == []
    assert len(found) == 2


def test_hours_of_others_are_left_alone(session: Session, member: Member) -> None:
    other = factories.create_member(session)
    metering.record(session, [predictions(who.tenant_id) for who in (member, other)])

    advance(session, member)

    assert session.exec(select(UsageHour.tenant_id)).all() == [member.tenant_id]


def test_each_day_is_a_range_of_the_key_and_new_events_are_found_by_serial(
    session: Session, member: Member
) -> None:
    connection = session.connection()
    if connection.dialect.name != "sqlite":
        pytest.skip("Postgres plans by what it has counted")
    asked: list[tuple[str, object]] = []

    def note(_connection: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        asked.append((statement, values))

    hooks.listen(connection, "before_cursor_execute", note)
    metering.by_day(session, member, first=FIRST, last=LAST)
    hooks.remove(connection, "before_cursor_execute", note)

    [(statement, values)] = [one for one in asked if "usage_hour" in one[0]]
    plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    [hours] = [step for step in plan if "usage_hour" in step]
    [events] = [step for step in plan if "usage_event" in step]
    assert hours.endswith("(tenant_id=? AND hour>? AND hour<?)")
    assert "(tenant_id=? AND serial>?" in events
    assert plan.index(next(step for step in plan if "SCAN day" in step)) < plan.index(hours)
