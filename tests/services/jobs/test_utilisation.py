"""Shares of workers' time."""

from datetime import UTC, datetime, timedelta

from services.jobs.utilisation import Span, by_step, by_worker

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def span(worker: str, start: float, end: float) -> Span:
    """In hours after noon."""
    return Span(worker, NOON + start * HOUR, NOON + end * HOUR)


def test_a_share_is_of_the_time_that_the_worker_was_there() -> None:
    busy = [span("a", -1, 1), span("a", 3, 3.5)]

    shares = by_worker(busy, [span("a", -1, 9), span("b", 2, 4)], start=NOON, end=NOON + 4 * HOUR)

    assert shares == {"a": 1.5 / 4, "b": 0.0}


def test_a_worker_that_was_not_there_has_no_share() -> None:
    assert by_worker([], [span("a", -3, -2)], start=NOON, end=NOON + HOUR) == {}


def test_steps_add_all_workers_up() -> None:
    alive = [span("a", 0, 2), span("b", 1, 2)]
    busy = [span("a", 0.5, 1.5), span("b", 1, 2)]

    assert by_step(busy, alive, start=NOON, step=HOUR, steps=3) == [0.5, 0.75, None]


def test_a_job_that_outlived_the_last_sign_of_life_fills_no_more_than_all() -> None:
    assert by_step([span("a", 0, 5)], [span("a", 0, 0.5)], start=NOON, step=HOUR, steps=1) == [1.0]
