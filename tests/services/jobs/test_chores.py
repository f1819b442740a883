"""Work that comes round again: one worker at a time, and any may die at it."""

from datetime import timedelta

from sqlmodel import Session

from services.jobs import chores
from services.jobs.tables import Chore
from tests.conftest import Clock

HOURLY = timedelta(hours=1)


def test_a_chore_is_taken_by_one(session: Session) -> None:
    assert chores.due(session, ["tidy"]) == ["tidy"]

    taken = chores.take(session, "tidy", every=HOURLY)

    assert taken is not None
    assert chores.take(session, "tidy", every=HOURLY) is None
    assert chores.due(session, ["tidy"]) == []


def test_a_chore_comes_round_again(session: Session, clock: Clock) -> None:
    chores.done(session, chores.take(session, "tidy", every=HOURLY))

    early = chores.take(session, "tidy", every=HOURLY)
    clock.advance(3600)

    assert early is None
    assert chores.take(session, "tidy", every=HOURLY) is not None


def test_a_worker_that_dies_at_a_chore_holds_it_up_for_its_lease_only(session: Session, clock: Clock) -> None:
    dead = chores.take(session, "tidy", every=timedelta(seconds=6))

    clock.advance(5)
    held_up = chores.take(session, "tidy", every=timedelta(seconds=6))
    clock.advance(2)
    heir = chores.take(session, "tidy", every=timedelta(seconds=6))
    chores.done(session, dead, failure="back from the grave")

    assert held_up is None
    assert heir is not None
    assert session.get_one(Chore, "tidy").failure is None


def test_what_broke_is_kept_for_the_operator(session: Session) -> None:
    chores.done(session, chores.take(session, "tidy", every=HOURLY), failure="no broom")

    assert session.get_one(Chore, "tidy", populate_existing=True).failure == "no broom"


def test_a_clock_that_jumped_back_puts_no_chore_off_for_long(session: Session, clock: Clock) -> None:
    chores.done(session, chores.take(session, "tidy", every=HOURLY))

    clock.advance(-30 * 24 * 3600)

    assert chores.take(session, "tidy", every=HOURLY) is not None
