"""Both databases keep what they are given."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlmodel import Session, func, select

from services import db
from services.accounts.tables import Tenant
from services.db import reading, transaction
from services.jobs.tables import Job
from services.metering.tables import UsageEvent
from tests import factories

INSTANT = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)


def create_event(session: Session, tenant_id: str, name: str, quantity: str) -> UsageEvent:
    event = UsageEvent(
        tenant_id=tenant_id, id=name, meter="predictions", quantity=Decimal(quantity), at=INSTANT
    )
    session.add(event)
    session.flush()
    return event


def test_an_instant_comes_back_with_its_zone(session: Session) -> None:
    tenant = factories.create_tenant(session, suspended_at=INSTANT)

    session.refresh(tenant)

    assert tenant.suspended_at == INSTANT
    assert tenant.suspended_at.tzinfo is not None


def test_an_instant_without_zone_is_refused(session: Session) -> None:
    with pytest.raises(StatementError):
        factories.create_tenant(session, suspended_at=INSTANT.replace(tzinfo=None))


def test_sums_of_quantities_are_exact(session: Session) -> None:
    tenant = factories.create_tenant(session)
    for number in range(10):
        create_event(session, tenant.id, f"e{number}", "0.1")

    total = session.exec(select(func.sum(UsageEvent.quantity)).where(UsageEvent.tenant_id == tenant.id)).one()

    assert total == Decimal(1)


def test_a_quantity_finer_than_the_scale_is_refused(session: Session) -> None:
    tenant = factories.create_tenant(session)

    with pytest.raises(StatementError):
        create_event(session, tenant.id, "e", "0.0000001")


def test_a_row_that_is_inserted_is_what_a_flush_would_have_written(session: Session) -> None:
    member = factories.create_member(session)
    like = factories.create_job(session, member).model_dump(exclude={"id", "idempotency_key"})
    flushed, inserted = Job(**like, idempotency_key="a"), Job(**like, idempotency_key="b")
    session.add(flushed)

    db.insert(session, inserted)

    # Known to the session as it stands, changed like any other, and read back the same.
    assert session.get(Job, inserted.id) is inserted
    inserted.priority = flushed.priority = 7
    session.flush()
    session.refresh(flushed)
    session.refresh(inserted)
    assert inserted.priority == 7
    own = {"id", "idempotency_key"}
    assert inserted.model_dump(exclude=own) == flushed.model_dump(exclude=own)


def test_a_row_that_breaks_a_rule_is_not_inserted(session: Session) -> None:
    job = factories.create_job(session, factories.create_member(session), key="once")

    with pytest.raises(IntegrityError), session.begin_nested():
        db.insert(session, Job(**job.model_dump(exclude={"id"})))


def test_the_databases_clock_is_about_right(session: Session) -> None:
    assert abs(db.now(session) - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_transaction_that_raises_leaves_nothing(live_database: str) -> None:
    def break_off() -> None:
        with transaction() as session:
            factories.create_tenant(session)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()

    with reading() as session:
        assert session.exec(select(Tenant)).all() == []


def test_reading_does_not_wait_for_a_writer(live_database: str) -> None:
    with transaction() as writer:
        factories.create_tenant(writer)
        with reading() as reader:
            assert reader.exec(select(func.count()).select_from(Tenant)).one() >= 0


def test_postgres_refuses_to_write_while_reading(live_database: str) -> None:
    if live_database.startswith("sqlite"):
        pytest.skip("SQLite has no read-only transactions")

    with pytest.raises(DBAPIError), reading() as session:
        factories.create_tenant(session)


def test_many_writers_at_once_all_succeed(live_database: str) -> None:
    def open_workspace(number: int) -> str:
        with transaction() as session:
            session.exec(select(func.count()).select_from(Tenant)).one()
            return factories.create_tenant(session, name=f"parallel {number}").id

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(open_workspace, range(40)))

    with reading() as session:
        assert len(made) == 40
        assert all(session.get(Tenant, tenant_id) for tenant_id in made)
