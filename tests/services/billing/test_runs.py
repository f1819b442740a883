"""A billing run closes every workspace's month once, several at a time, whatever breaks on the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest
from sqlmodel import Session

from services.accounts.scope import Member, Role, Staff, StaffRole
from services.accounts.tables import Tenant
from services.billing import monitor, runs
from services.billing.period import Month
from services.billing.runs import Step
from services.clock import now
from services.db import reading, transaction
from tests import factories
from tests.services.billing.factories import Clock, record, travel

APRIL = Month(2031, 4)
ADA = Staff(user_id="ada", role=StaffRole.admin)


@pytest.fixture
def workspaces(live_database: str, clock: Clock) -> list[Tenant]:
    """Nine with use of a month that can be closed."""
    travel(clock, "2031-05-03T00:00")
    with transaction() as session:
        members = [factories.create_member(session) for _ in range(9)]
        for member in members:
            record(session, member, texts=1000, at=now().fromisoformat("2031-04-10T12:00:00+00:00"))
        return [session.get_one(Tenant, member.tenant_id) for member in members]


def numbers(sequences: range) -> list[str]:
    return [f"TP-2031-{sequence:06d}" for sequence in sequences]


def invoiced(rows: list[runs.Row]) -> list[str]:
    return sorted(row.invoice.number for row in rows if row.invoice)


def test_rows_come_in_order_and_numbers_have_no_gaps(workspaces: list[Tenant]) -> None:
    months = [(workspace, APRIL) for workspace in workspaces]

    rows = list(runs.close_all(months, opened=transaction))
    again = list(runs.close_all(months, opened=transaction))

    assert [row.tenant.id for row in rows] == [workspace.id for workspace in workspaces]
    assert invoiced(rows) == numbers(range(1, 10))
    assert [row.invoice.id for row in again if row.invoice] == [row.invoice.id for row in rows if row.invoice]


def test_a_parked_workspace_stops_no_other(workspaces: list[Tenant]) -> None:
    with transaction() as session:
        monitor.park(session, Member(tenant_id=workspaces[4].id, role=Role.owner), ["The subtotal is odd."])

    rows = list(runs.close_all([(workspace, APRIL) for workspace in workspaces], opened=transaction))

    assert [row.step for row in rows] == [*[Step.closed] * 4, Step.parked, *[Step.closed] * 4]
    assert invoiced(rows) == numbers(range(1, 9))


def test_a_run_that_broke_goes_on_where_it_stopped(workspaces: list[Tenant]) -> None:
    transactions = count()

    @contextmanager
    def that_breaks() -> Iterator[Session]:
        with transaction() as session:
            yield session
            # Its first question is what database it is at; then come the months.
            if next(transactions) >= 4:
                raise ConnectionError("the machine lost its power")

    months = [(workspace, APRIL) for workspace in workspaces]
    with pytest.raises(ConnectionError):
        list(runs.close_all(months, opened=that_breaks))
    with reading() as session:
        before = [row.step for row in runs.dry_run(session, ADA, month=APRIL)]
    rows = list(runs.close_all(months, opened=transaction))

    assert before.count(Step.closed) == 3
    assert before.count(Step.ready) == 6
    assert invoiced(rows) == numbers(range(1, 10))
