"""A billing run closes every workspace's month once, several at a time, whatever breaks on the way."""

import os
import signal
from pathlib import Path

import pytest

from services.accounts.scope import Member, Role, Staff, StaffRole
from services.accounts.tables import Tenant
from services.billing import closers, monitor, runs
from services.billing.period import Month
from services.billing.runs import Closed, Step
from services.clock import now
from services.db import reading, transaction
from tests import factories
from tests.services.billing.factories import Clock, record, travel

APRIL = Month(2031, 4)
ADA = Staff(user_id="ada", role=StaffRole.admin)


@pytest.fixture
def workspaces(live_database: str, clock: Clock) -> list[Tenant]:
    """Nine with use of a month that can be closed."""
    return with_use(clock, count=9)


def with_use(clock: Clock, count: int) -> list[Tenant]:
    travel(clock, "2031-05-03T00:00")
    with transaction() as session:
        members = [factories.create_member(session) for _ in range(count)]
        for member in members:
            record(session, member, texts=1000, at=now().fromisoformat("2031-04-10T12:00:00+00:00"))
        return [session.get_one(Tenant, member.tenant_id) for member in members]


def numbers(sequences: range) -> list[str]:
    return [f"TP-2031-{sequence:06d}" for sequence in sequences]


def invoiced(ended: list[Closed]) -> list[str]:
    return sorted(one.number for one in ended if one.number)


def in_april(workspaces: list[Tenant]) -> list[tuple[Tenant, Month]]:
    return [(workspace, APRIL) for workspace in workspaces]


def test_what_is_closed_is_told_in_order_and_numbers_have_no_gaps(workspaces: list[Tenant]) -> None:
    ended = list(closers.close_all(in_april(workspaces)))
    again = list(closers.close_all(in_april(workspaces[::-1])))

    assert [one.number for one in ended] == numbers(range(1, 10))
    assert again == ended[::-1]


def test_a_parked_workspace_stops_no_other(workspaces: list[Tenant]) -> None:
    with transaction() as session:
        monitor.park(session, Member(tenant_id=workspaces[4].id, role=Role.owner), ["The subtotal is odd."])

    ended = list(closers.close_all(in_april(workspaces)))

    assert [one.step for one in ended] == [*[Step.closed] * 4, Step.parked, *[Step.closed] * 4]
    assert ended[4].findings == ("The subtotal is odd.",)
    assert invoiced(ended) == numbers(range(1, 9))


def test_a_month_that_is_not_over_waits(workspaces: list[Tenant]) -> None:
    ended = list(closers.close_all([(workspace, APRIL.next) for workspace in workspaces]))

    assert ended == [Closed(Step.waiting)] * 9


def test_many_months_are_closed_by_processes_of_which_one_may_be_killed(
    live_database: str, clock: Clock
) -> None:
    workspaces = with_use(clock, count=2 * closers.WORTH_A_PROCESS)

    run = closers.close_all(in_april(workspaces))
    first = next(run)
    children = closing_children()
    os.kill(children[0], signal.SIGKILL)
    with pytest.raises(closers.CloserEnded):
        list(run)
    with reading() as session:
        before = [row.step for row in runs.dry_run(session, ADA, month=APRIL)]
    ended = list(closers.close_all(in_april(workspaces)))

    assert first.step is Step.closed
    assert len(children) > 1
    assert 0 < before.count(Step.ready) < len(workspaces)
    assert {one.step for one in ended} == {Step.closed}
    assert invoiced(ended) == numbers(range(1, len(workspaces) + 1))
    assert closing_children() == []


def closing_children() -> list[int]:
    """The processes of this one that close months."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(process.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            command = process.joinpath("cmdline").read_bytes()
        except OSError:
            continue
        if parent == os.getpid() and b"services.billing.closers" in command:
            found.append(int(process.name))
    return found
