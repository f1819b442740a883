"""The queue played forward is the queue: the same turns, limits and workers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.jobs import fairness, forecast
from services.jobs.forecast import MOST_CLAIMS, Arrival, Busy, Line, Standing, Start, predict

EXACT = (1.0,)
NEVER = float("inf")


def line(
    name: str, *waiting: float, turn: int = 0, weight: int = 1, limit: int = 9, running: int = 0
) -> Line:
    return Line(name, turn, weight, limit, last_claim=NEVER, running=running, waiting=waiting)


def starts(
    *lines: Line,
    of: str = "ours",
    workers: int = 1,
    busy: Sequence[Busy] = (),
    spread: Sequence[float] = EXACT,
) -> list[Start]:
    jobs = next((len(one.waiting) for one in lines if one.tenant_id == of), 1)
    return predict(Standing(lines, busy, workers, spread), tenant_id=of, jobs=jobs, seed="seed")


def likely(found: list[Start]) -> list[float]:
    return [start.likely for start in found]


def test_a_job_starts_at_once_where_a_worker_is_free() -> None:
    assert starts(line("ours", 60)) == [Start(0, 0)]


def test_it_waits_for_the_run_that_ends_first() -> None:
    busy = [Busy("other", [90.0]), Busy("other", [30.0])]

    assert likely(starts(line("ours", 60, 60), workers=0, busy=busy)) == [30, 90]


def test_workspaces_take_turns() -> None:
    ours, theirs = line("ours", 10, 10, turn=1), line("theirs", 10, 10, 10)

    assert likely(starts(ours, theirs)) == [10, 30]


def test_a_greater_weight_gets_more_turns() -> None:
    ours = line("ours", *[10] * 4, turn=1, weight=3)

    assert likely(starts(ours, line("theirs", *[10] * 9))) == [10, 20, 30, 50]


def test_the_limit_of_the_workspace_holds_it_back() -> None:
    ours = line("ours", 10, limit=1, running=1)

    assert likely(starts(ours, workers=3, busy=[Busy("ours", [40.0])])) == [40]


def test_another_one_at_its_limit_holds_nobody_back() -> None:
    theirs = line("theirs", *[10] * 9, limit=1, running=1)

    assert likely(starts(line("ours", 10, turn=5), theirs, workers=1, busy=[Busy("theirs", [99.0])])) == [0]


def test_a_worker_that_drains_takes_nothing_more() -> None:
    busy = [Busy("other", [30.0], worker_stays=False), Busy("other", [90.0])]

    assert likely(starts(line("ours", 60), workers=0, busy=busy)) == [90]


def test_without_a_worker_nobody_can_tell() -> None:
    assert starts(line("ours", 60), workers=0) == []
    assert starts(line("ours", 60), workers=0, busy=[Busy("x", [5.0], worker_stays=False)]) == []


def test_a_workspace_that_may_start_nothing_gets_no_forecast() -> None:
    assert starts(line("theirs", 60), of="ours") == []
    assert starts(line("ours", 60, limit=0)) == []


def test_the_range_widens_with_the_spread_and_the_seed_keeps_it() -> None:
    queue = line("ours", *[100] * 6)

    exact, rough = starts(queue), starts(queue, spread=(0.5, 1.0, 2.0))

    assert exact[5].likely == exact[5].late == 500
    assert rough[5].likely < rough[5].late
    assert rough == starts(queue, spread=(0.5, 1.0, 2.0))


def test_others_come_as_they_lately_did() -> None:
    ours = line("ours", 600, 600, 600, 600)
    others = [Arrival("theirs", ago=900.0 * number, expected=600.0) for number in range(4)]
    standing = Standing([ours, line("theirs")], (), 1, EXACT, arrivals=others)

    quiet, busy = starts(ours, line("theirs")), predict(standing, tenant_id="ours", jobs=4, seed="seed")

    assert busy[0] == quiet[0] == Start(0, 0)
    assert quiet[3].likely < busy[3].likely <= busy[3].late


def test_a_newcomer_of_the_future_saves_up_no_turns() -> None:
    """It is served at the present turn: before our backlog, yet no more often than we are."""
    ours = line("ours", *[600] * 6, turn=10 * fairness.SHARE)
    flood = [Arrival("theirs", ago=1.0, expected=600.0)] * 50
    standing = Standing(
        [ours, line("theirs")], (), 1, EXACT, virtual_time=10 * fairness.SHARE, arrivals=flood
    )

    found = predict(standing, tenant_id="ours", jobs=6, seed="seed")

    assert found[5].late <= 11 * 600


def test_a_long_queue_costs_bounded_work(monkeypatch: pytest.MonkeyPatch) -> None:
    claims = 0
    whole = forecast._Tenant.claim

    def counted(tenant: forecast._Tenant, now: float) -> float:
        nonlocal claims
        claims += 1
        return whole(tenant, now)

    monkeypatch.setattr(forecast._Tenant, "claim", counted)
    lines = [line(f"{number}", *[10] * 500, limit=2) for number in range(100)]

    [*_, last] = starts(line("ours", *[10] * 500, turn=1), *lines, workers=4)

    assert claims <= MOST_CLAIMS + MOST_CLAIMS // 4
    assert last.likely == pytest.approx(500 * 101 * 10 / 4, rel=0.1), "and still tells the end of it"


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 3), st.integers(1, 6)), min_size=1, max_size=5),
    st.integers(1, 6),
)
def test_it_serves_as_the_queue_does(tenants: list[tuple[int, int, int]], mine: int) -> None:
    """One worker, runs of one second: the n-th claim of `fairness.in_turn` is at second n."""
    lines = [
        line(f"{at}", *[1.0] * jobs, turn=turn, weight=weight)
        for at, (turn, weight, jobs) in enumerate(tenants)
    ]
    lines.append(line("ours", *[1.0] * mine))

    expected = claimed_in_order(lines)

    assert likely(starts(*lines)) == [float(at) for at, name in enumerate(expected) if name == "ours"]


def when(claim: int | None) -> datetime | None:
    return None if claim is None else datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=claim)


def claimed_in_order(lines: list[Line]) -> list[str]:
    turns = {one.tenant_id: one.turn for one in lines}
    left = {one.tenant_id: len(one.waiting) for one in lines}
    weights = {one.tenant_id: one.weight for one in lines}
    served: dict[str, int] = {}
    order: list[str] = []
    while any(left.values()):
        waiting = [
            fairness.Waiting(name, turns[name], when(served.get(name)), running=0, limit=1)
            for name, jobs in left.items()
            if jobs
        ]
        name = fairness.in_turn(waiting)[0]
        served[name] = len(order)
        order.append(name)
        left[name] -= 1
        turns[name] += fairness.stride(weights[name])
    return order
