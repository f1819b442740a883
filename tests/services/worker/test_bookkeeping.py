"""The chores of the ledger, as a worker does them."""

from decimal import Decimal

import pytest
from sqlalchemy import update
from sqlmodel import select

from services import clock
from services.accounts.scope import Member
from services.db import reading, transaction
from services.ledger import sealing
from services.metering import service as metering
from services.metering.tables import UsageEvent, UsageHour
from services.worker import bookkeeping
from tests import factories
from tests.services.metering.factories import predictions


@pytest.fixture
def customers(live_database: str) -> list[Member]:
    with transaction() as session:
        members = [factories.create_member(session) for _ in range(2)]
        for member in members:
            events = [predictions(member.tenant_id, at=clock.now()) for _ in range(3)]
            metering.record(session, events)
    return members


def test_events_of_every_workspace_are_sealed(
    customers: list[Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "BLOCK", 2)

    bookkeeping.seal()
    bookkeeping.seal()

    with reading() as session:
        heads = [sealing.head(session, member) for member in customers]
    assert [(head.blocks, head.events) for head in heads] == [(2, 3), (2, 3)]


def test_hours_that_differ_are_told_and_made_anew(customers: list[Member]) -> None:
    bookkeeping.roll_up()
    bookkeeping.compare()
    with transaction() as session:
        session.execute(update(UsageHour).values(quantity=Decimal(99)))

    with pytest.raises(bookkeeping.HoursDiffered, match="2 hours"):
        bookkeeping.compare()
    bookkeeping.compare()

    with reading() as session:
        assert set(session.exec(select(UsageHour.quantity))) == {Decimal(3)}


def test_an_empty_day_is_no_event(customers: list[Member]) -> None:
    bookkeeping.count_storage()

    with reading() as session:
        assert len(session.exec(select(UsageEvent)).all()) == 6
