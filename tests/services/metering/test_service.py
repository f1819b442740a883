"""The ledger counts every fact once, and adds up by the tenant's days."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlmodel import Session, select

from services.accounts.scope import Member
from services.errors import NotFound
from services.metering import service as metering
from services.metering.days import UnusableDays
from services.metering.service import DayUse, MeterTotal, Recorded, UseBy
from services.metering.tables import UsageEvent
from tests import factories
from tests.services.metering.factories import NOON, predictions, training

DAY = NOON.date()


def test_telling_twice_counts_once(session: Session, member: Member) -> None:
    event = training(member.tenant_id, seconds="12.5")

    first = metering.record(session, [event])
    second = metering.record(session, [event])

    assert (first, second) == (Recorded(1, 0), Recorded(0, 1))
    assert metering.totals(session, member, first=DAY, last=DAY) == [
        MeterTotal("training_seconds", Decimal("12.5"), 1)
    ]


def test_a_batch_that_repeats_itself_counts_once(session: Session, member: Member) -> None:
    event = predictions(member.tenant_id)

    assert metering.record(session, [event, event, predictions(member.tenant_id)]) == Recorded(2, 1)


def test_a_batch_of_any_size_is_recorded(session: Session, member: Member) -> None:
    events = [predictions(member.tenant_id) for _ in range(3_001)]

    assert metering.record(session, events) == Recorded(3_001, 0)
    assert metering.record(session, []) == Recorded(0, 0)


def test_the_same_id_in_two_workspaces_is_two_facts(session: Session, member: Member) -> None:
    other = factories.create_member(session)

    recorded = metering.record(
        session, [predictions(who.tenant_id, request_id="req_same") for who in (member, other)]
    )

    assert recorded == Recorded(2, 0)
    assert [total.events for total in metering.totals(session, other, first=DAY, last=DAY)] == [1]


def test_quantities_come_back_to_the_last_millionth(session: Session, member: Member) -> None:
    for quantity in ("0.000001", "999999999999.999999", "0.1", "0.2"):
        metering.record(session, [training(member.tenant_id, seconds=quantity)])

    stored = session.exec(select(UsageEvent.quantity).where(UsageEvent.tenant_id == member.tenant_id)).all()
    assert sorted(stored) == [Decimal(q) for q in ("0.000001", "0.1", "0.2", "999999999999.999999")]
    [total] = metering.totals(session, member, first=DAY, last=DAY)
    assert total.quantity == Decimal("1000000000000.300000")


def test_use_is_divided_by_model_key_and_member(session: Session, member: Member) -> None:
    metering.record(
        session,
        [
            predictions(member.tenant_id, texts=3, model_version_id="mv_a", key_id="key_1"),
            predictions(member.tenant_id, texts=4, model_version_id="mv_b", key_id="key_1"),
            predictions(member.tenant_id, texts=5, model_version_id="mv_b", user_id="usr_1"),
        ],
    )

    def divided(by: UseBy) -> list[tuple[str | None, Decimal, int]]:
        found = metering.by_day(session, member, first=DAY, last=DAY, by=by)
        return [(use.by, use.quantity, use.events) for use in found]

    assert divided(UseBy.meter) == [(None, Decimal(12), 3)]
    assert divided(UseBy.model) == [("mv_a", Decimal(3), 1), ("mv_b", Decimal(9), 2)]
    assert divided(UseBy.key) == [(None, Decimal(5), 1), ("key_1", Decimal(7), 2)]
    assert divided(UseBy.member) == [(None, Decimal(7), 2), ("usr_1", Decimal(5), 1)]


def test_days_are_the_workspaces_own_also_when_clocks_are_changed(session: Session) -> None:
    tenant = factories.create_tenant(session, time_zone="Europe/Berlin")
    member = factories.create_member(session, tenant_id=tenant.id)
    # 25 October 2026 has 25 hours in Berlin: from 22:00 UTC the day before to 23:00 UTC.
    for at in ("2026-10-24T21:59:59", "2026-10-24T22:00:00", "2026-10-25T22:59:59", "2026-10-25T23:00:00"):
        event = predictions(tenant.id, at=datetime.fromisoformat(at).replace(tzinfo=UTC))
        metering.record(session, [event])

    found = metering.by_day(session, member, first=date(2026, 10, 24), last=date(2026, 10, 26))

    assert [(use.day.day, use.events) for use in found] == [(24, 1), (25, 2), (26, 1)]


def test_only_the_days_asked_for_are_counted(session: Session, member: Member) -> None:
    for hours in (-37, -12, 0, 12):
        metering.record(session, [predictions(member.tenant_id, at=NOON + timedelta(hours=hours))])

    assert metering.by_day(session, member, first=DAY, last=DAY) == [
        DayUse(DAY, "predictions", None, Decimal(2), 2)
    ]


@pytest.mark.parametrize(("first", "last"), [((2026, 2, 1), (2026, 1, 31)), ((2024, 1, 1), (2026, 1, 1))])
def test_an_unusable_range_of_days_is_refused(
    session: Session, member: Member, first: tuple[int, int, int], last: tuple[int, int, int]
) -> None:
    with pytest.raises(UnusableDays):
        metering.by_day(session, member, first=date(*first), last=date(*last))


def test_uses_carry_what_prices_depend_on(session: Session, member: Member) -> None:
    metering.record(
        session,
        [
            training(member.tenant_id, job_id="job_1", seconds="2", device_class="cuda"),
            predictions(member.tenant_id, texts=2, model_version_id="mv_1"),
            predictions(member.tenant_id, texts=3, model_version_id="mv_1", key_id="key_1"),
        ],
    )

    found = {use.meter: use for use in metering.uses(session, member, first=DAY, last=DAY)}

    assert found["training_seconds"].subject == "job_1"
    assert found["training_seconds"].properties == {"device_class": "cuda"}
    assert (found["predictions"].subject, found["predictions"].properties) == ("mv_1", {})
    assert (found["predictions"].quantity, found["predictions"].events) == (Decimal(5), 2)


def test_events_are_paged_newest_first_without_gap_or_repetition(session: Session, member: Member) -> None:
    # Some at the same instant, so that the id must decide.
    events = [predictions(member.tenant_id, at=NOON + timedelta(seconds=n // 3)) for n in range(10)]
    metering.record(session, events)

    seen: list[str] = []
    after = None
    for _ in range(4):
        page = metering.events(session, member, first=DAY, last=DAY, limit=3, after=after)
        seen += [event.id for event in page.events]
        after = page.next_after

    assert after is None
    assert seen == [e.id for e in sorted(events, key=lambda e: (e.at, e.id), reverse=True)]


def test_events_are_filtered_by_meter_subject_and_properties(session: Session, member: Member) -> None:
    cpu = training(member.tenant_id, job_id="job_1", device_class="cpu")
    cuda = training(member.tenant_id, job_id="job_2", device_class="cuda")
    asked = predictions(member.tenant_id, model_version_id="mv_1")
    metering.record(session, [cpu, cuda, asked])

    def ids(**filters: object) -> set[str]:
        found = metering.events(session, member, first=DAY, last=DAY, **filters)  # type: ignore[arg-type]
        return {event.id for event in found.events}

    assert ids(meter="training_seconds") == {cpu.id, cuda.id}
    assert ids(subject="job_1") == {cpu.id}
    assert ids(subject="mv_1") == {asked.id}
    assert ids(properties={"device_class": "cuda"}) == {cuda.id}
    assert ids(subject="job_1", properties={"device_class": "cuda"}) == set()


def test_a_foreign_event_is_no_place_to_go_on_from(session: Session, member: Member) -> None:
    other = factories.create_member(session)
    foreign = predictions(other.tenant_id)
    metering.record(session, [foreign])

    with pytest.raises(NotFound):
        metering.events(session, member, first=DAY, last=DAY, after=foreign.id)
    assert metering.events(session, member, first=DAY, last=DAY).events == []


def test_use_of_a_foreign_workspace_is_not_seen(session: Session, member: Member) -> None:
    other = factories.create_member(session)
    metering.record(session, [training(other.tenant_id)])

    assert metering.uses(session, member, first=DAY, last=DAY) == []
    assert metering.uses(session, other, first=DAY, last=DAY) != []
