"""What is stored is counted day by day, from when it was made."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlmodel import Session, select

from services import clock
from services.accounts.scope import Member
from services.datasets.tables import Upload
from services.metering.recording import Recorded
from services.metering.storing import store_days
from services.metering.tables import UsageEvent
from tests import factories

TODAY = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture
def keeper(session: Session) -> Member:
    """Of a workspace that opened three days ago."""
    tenant = factories.create_tenant(session, created_at=TODAY - timedelta(days=3))
    return factories.create_member(session, tenant_id=tenant.id)


def store(session: Session, member: Member, *, size: int, at: datetime) -> Upload:
    upload = Upload(
        tenant_id=member.tenant_id, filename="a", bytes=size, sha256="", storage_key="", created_at=at
    )
    session.add(upload)
    session.flush()
    return upload


def stored(session: Session, member: Member) -> dict[str, Decimal]:
    events = session.exec(select(UsageEvent).where(UsageEvent.tenant_id == member.tenant_id))
    return {event.id: event.quantity for event in events}


def test_a_day_counts_what_stood_times_its_hours(session: Session, keeper: Member) -> None:
    store(session, keeper, size=2 * 10**9, at=TODAY - timedelta(days=2))
    store(session, keeper, size=10**9, at=TODAY - timedelta(hours=6))
    store(session, keeper, size=10**9, at=TODAY + timedelta(seconds=1))

    assert store_days(session, keeper) == Recorded(2, 0)

    assert stored(session, keeper) == {
        f"stored:{TODAY - timedelta(days=2):%Y-%m-%d}": Decimal(48),
        f"stored:{TODAY - timedelta(days=1):%Y-%m-%d}": Decimal(54),
    }


def test_a_day_counts_once(session: Session, keeper: Member) -> None:
    store(session, keeper, size=10**9, at=TODAY - timedelta(days=2))

    assert [store_days(session, keeper) for _ in range(2)] == [Recorded(2, 0), Recorded(0, 0)]


def test_what_was_deleted_before_its_day_was_counted_is_free(session: Session, keeper: Member) -> None:
    session.delete(store(session, keeper, size=10**9, at=TODAY - timedelta(days=2)))

    assert store_days(session, keeper) == Recorded(0, 0)


def test_a_day_of_25_hours_has_25(session: Session) -> None:
    tenant = factories.create_tenant(
        session, time_zone="Europe/Berlin", created_at=datetime(2026, 10, 20, tzinfo=UTC)
    )
    member = factories.create_member(session, tenant_id=tenant.id)
    store(session, member, size=10**9, at=datetime(2026, 10, 20, tzinfo=UTC))
    before = clock.offset()
    clock.move(datetime(2026, 10, 26, 12, tzinfo=UTC) - clock.now())
    try:
        store_days(session, member)
    finally:
        clock.move(before - clock.offset())

    assert stored(session, member)["stored:2026-10-25"] == Decimal(25)
    assert stored(session, member)["stored:2026-10-24"] == Decimal(24)
