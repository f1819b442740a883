"""The promises of the job table, on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select, update

from services.accounts.scope import Member, Role, RoleMissing, Staff, StaffRole
from services.accounts.tables import Tenant
from services.errors import NotFound
from services.jobs import queue, workers
from services.jobs import service as jobs
from services.jobs.errors import (
    CancelRequested,
    JobIsOver,
    JobNotRunning,
    JobQuotaReached,
    KeyReused,
    LeaseLost,
    TaskMismatch,
)
from services.jobs.queue import HEARTBEAT, LEASE
from services.jobs.tables import Job, JobAttempt, JobState
from services.training.process.events import EventKind, Phase, RunEvent
from services.training.recipe import Recipe, Task
from tests import factories
from tests.conftest import Clock

ADMIN = Staff(user_id="usr_ops", role=StaffRole.admin)
LONG_ENOUGH = LEASE.total_seconds() + 1
AN_HOUR = 3600


def claim(session: Session) -> queue.Claimed | None:
    return factories.claim(session)


def sweep(session: Session, clock: Clock) -> list[str]:
    """Two sweeps, a heartbeat apart: what the first doubts, the second gives back."""
    doubted = queue.recover(session)
    clock.advance(HEARTBEAT.total_seconds())
    return doubted + queue.recover(session)


def attempts(session: Session) -> list[tuple[int, str | None, str | None]]:
    rows = session.exec(select(JobAttempt).order_by(JobAttempt.claimed_at, JobAttempt.attempt)).all()
    return [(row.attempt, row.outcome, row.failure_code) for row in rows]


def state_of(session: Session, job_id: str) -> JobState:
    job = session.exec(select(Job).where(Job.id == job_id).execution_options(populate_existing=True)).one()
    return job.state


def test_a_worker_that_drains_claims_nothing(session: Session, member: Member) -> None:
    factories.create_job(session, member)
    draining, other = factories.next_worker(session), factories.next_worker(session)
    workers.drain(session, ADMIN, worker_id=draining)

    assert factories.claim(session, worker_id=draining) is None
    assert factories.claim(session, worker_id=other) is not None


def test_a_job_goes_from_the_queue_to_its_result(session: Session, member: Member) -> None:
    job = factories.create_job(session, member)

    claimed = claim(session)
    queue.finish(session, claimed, model_version_id="mv_1", charged=42_000)

    assert claimed.job_id == job.id
    done = jobs.get(session, member, job_id=job.id)
    assert (done.state, done.model_version_id, done.charged, done.lease_token) == (
        JobState.succeeded,
        "mv_1",
        42_000,
        claimed.token,
    )
    assert attempts(session) == [(1, "succeeded", None)]


def test_a_claimed_job_is_not_claimed_again(session: Session, member: Member) -> None:
    factories.create_claimed_job(session, member)

    assert claim(session) is None


def test_submitting_twice_is_once(session: Session, member: Member) -> None:
    first = factories.create_job(session, member, key="same")

    again = factories.create_job(
        session, member, key="same", dataset_version_id=first.dataset_version_id, model_name=first.model_name
    )

    assert again.id == first.id


def test_a_key_names_one_request_only(session: Session, member: Member) -> None:
    factories.create_job(session, member, key="same")

    with pytest.raises(KeyReused):
        factories.create_job(session, member, key="same")


def test_two_tenants_may_use_the_same_key(session: Session, member: Member) -> None:
    ours = factories.create_job(session, member, key="same")

    theirs = factories.create_job(session, factories.create_member(session), key="same")

    assert ours.id != theirs.id


def test_open_jobs_are_limited_by_the_plan(session: Session, member: Member) -> None:
    session.get_one(Tenant, member.tenant_id).open_job_limit = 1
    factories.create_job(session, member)

    with pytest.raises(JobQuotaReached):
        factories.create_job(session, member)


def test_a_recipe_for_another_task_is_refused(session: Session, member: Member) -> None:
    with pytest.raises(TaskMismatch):
        factories.create_job(session, member, recipe=Recipe(task=Task.token_classification))


def test_a_viewer_starts_nothing(session: Session, member_as) -> None:
    with pytest.raises(RoleMissing):
        factories.create_job(session, member_as(Role.viewer))


def test_a_foreign_job_does_not_exist(session: Session, member: Member) -> None:
    job = factories.create_job(session, member)
    stranger = factories.create_member(session)

    for ask in (jobs.get, jobs.events, jobs.cancel, jobs.stop, jobs.queue_position):
        with pytest.raises(NotFound):
            ask(session, stranger, job_id=job.id)


def test_the_running_limit_holds(session: Session, member: Member) -> None:
    for _ in range(4):
        factories.create_job(session, member)

    claims = [claim(session) for _ in range(4)]

    assert [one is not None for one in claims] == [True, True, False, False]


def test_a_crash_gives_its_place_back(session: Session, member: Member, clock: Clock) -> None:
    for _ in range(4):
        factories.create_job(session, member)
    claim(session), claim(session)

    clock.advance(LONG_ENOUGH)
    assert claim(session) is None
    sweep(session, clock)

    assert claim(session) is not None
    assert claim(session) is not None
    assert claim(session) is None


def test_tenants_take_turns(session: Session, member: Member, clock: Clock) -> None:
    newcomer = factories.create_member(session)
    for _ in range(3):
        factories.create_job(session, member)
    first = claim(session)
    factories.create_job(session, newcomer)
    clock.advance(1)

    second = claim(session)

    assert (first.tenant_id, second.tenant_id) == (member.tenant_id, newcomer.tenant_id)


def test_within_a_tenant_priority_goes_before_age(session: Session, member: Member) -> None:
    factories.create_job(session, member)
    urgent = factories.create_job(session, member)
    urgent.priority = 1
    session.add(urgent)
    session.flush()

    assert claim(session).job_id == urgent.id


def test_the_queue_position_counts_the_workspaces_own_jobs(session: Session, member: Member) -> None:
    first, second = factories.create_job(session, member), factories.create_job(session, member)
    factories.create_job(session, factories.create_member(session))

    assert jobs.queue_position(session, member, job_id=first.id) == 0
    assert jobs.queue_position(session, member, job_id=second.id) == 1


def test_a_renewed_lease_outlives_its_first_end(session: Session, member: Member, clock: Clock) -> None:
    claimed = factories.create_claimed_job(session, member)

    for _ in range(5):
        clock.advance(LONG_ENOUGH / 2)
        queue.renew(session, claimed)

    assert queue.recover(session) == []


def test_a_lease_that_ran_out_is_renewed_as_long_as_nobody_took_the_job(
    session: Session, member: Member, clock: Clock
) -> None:
    claimed = factories.create_claimed_job(session, member)
    clock.advance(LONG_ENOUGH)
    queue.recover(session)

    queue.renew(session, claimed)

    assert sweep(session, clock) == []
    assert state_of(session, claimed.job_id) is JobState.running


def test_a_clock_that_jumps_ahead_takes_no_job_from_a_live_worker(
    session: Session, member: Member, clock: Clock
) -> None:
    claimed = factories.create_claimed_job(session, member)

    clock.advance(AN_HOUR)
    first_sweep = queue.recover(session)
    queue.renew(session, claimed)

    assert first_sweep == []
    assert sweep(session, clock) == []


def test_a_clock_that_jumps_back_leaves_no_lease_without_end(
    session: Session, member: Member, clock: Clock
) -> None:
    claimed = factories.create_claimed_job(session, member)

    clock.advance(-AN_HOUR)
    queue.recover(session)
    clock.advance(LONG_ENOUGH)

    assert sweep(session, clock) == [claimed.job_id]


def test_a_worker_that_lost_its_lease_changes_nothing(session: Session, member: Member, clock: Clock) -> None:
    stale = factories.create_claimed_job(session, member)
    clock.advance(LONG_ENOUGH)
    assert sweep(session, clock) == [stale.job_id]
    clock.advance(AN_HOUR)
    fresh = claim(session)
    told = RunEvent(kind=EventKind.note, phase=Phase.loading, message="from the grave")

    for write in (
        lambda: queue.renew(session, stale),
        lambda: queue.report(session, stale, [(0, told)]),
        lambda: queue.begin_again(session, stale, device="cpu"),
        lambda: queue.finish(session, stale, model_version_id="mv_1", charged=1),
        lambda: queue.fail(session, stale, code="x", message="x"),
        lambda: queue.retry(session, stale, code="x", message="x"),
        lambda: queue.end_cancelled(session, stale, charged=1),
        lambda: queue.release(session, stale),
    ):
        with pytest.raises(LeaseLost):
            write()

    assert fresh.attempt == 2
    assert state_of(session, fresh.job_id) is JobState.running
    assert jobs.events(session, member, job_id=fresh.job_id) == []


def test_an_expired_job_returns_to_the_queue_with_back_off(
    session: Session, member: Member, clock: Clock
) -> None:
    claimed = factories.create_claimed_job(session, member)
    clock.advance(LONG_ENOUGH)

    sweep(session, clock)

    assert attempts(session) == [(1, "lost", "worker_crashed")]
    assert state_of(session, claimed.job_id) is JobState.queued
    assert claim(session) is None
    clock.advance(AN_HOUR)
    assert claim(session).job_id == claimed.job_id


def test_a_poison_job_stops(session: Session, member: Member, clock: Clock) -> None:
    claimed = factories.create_claimed_job(session, member)
    for _ in range(3):
        clock.advance(AN_HOUR)
        sweep(session, clock)
        clock.advance(AN_HOUR)
        claim(session)

    job = jobs.get(session, member, job_id=claimed.job_id)
    assert (job.state, job.failure_code, job.charged) == (JobState.failed, "worker_crashed", 0)


def test_a_fault_of_ours_is_tried_again_and_then_named(
    session: Session, member: Member, clock: Clock
) -> None:
    claimed = factories.create_claimed_job(session, member)
    for attempt in (1, 2, 3):
        assert claimed.attempt == attempt
        queue.retry(session, claimed, code="out_of_memory", message="Our machine was too small.")
        clock.advance(AN_HOUR)
        claimed = claim(session) or claimed

    job = jobs.get(session, member, job_id=claimed.job_id)
    assert (job.state, job.failure_code) == (JobState.failed, "out_of_memory")


def test_a_released_job_has_lost_no_attempt(session: Session, member: Member) -> None:
    claimed = factories.create_claimed_job(session, member)

    queue.release(session, claimed)

    assert claim(session).attempt == 1
    assert attempts(session) == [(1, "released", None), (1, None, None)]


def test_cancelling_a_waiting_job_ends_it_at_once(session: Session, member: Member) -> None:
    job = factories.create_job(session, member)

    jobs.cancel(session, member, job_id=job.id)

    assert state_of(session, job.id) is JobState.cancelled
    assert claim(session) is None


def test_a_running_job_learns_of_its_cancellation(session: Session, member: Member) -> None:
    claimed = factories.create_claimed_job(session, member)
    assert queue.renew(session, claimed) == queue.Wish(cancel=False, stop=False)

    jobs.cancel(session, member, job_id=claimed.job_id)

    assert (
        queue.renew(session, claimed) == queue.wish(session, claimed) == queue.Wish(cancel=True, stop=False)
    )
    queue.end_cancelled(session, claimed, charged=0)
    assert state_of(session, claimed.job_id) is JobState.cancelled


def test_cancel_wins_over_a_result(session: Session, member: Member) -> None:
    claimed = factories.create_claimed_job(session, member)
    jobs.cancel(session, member, job_id=claimed.job_id)

    with pytest.raises(CancelRequested):
        queue.finish(session, claimed, model_version_id="mv_1", charged=1)

    assert state_of(session, claimed.job_id) is JobState.running


def test_cancel_wins_over_a_crash(session: Session, member: Member, clock: Clock) -> None:
    claimed = factories.create_claimed_job(session, member)
    jobs.cancel(session, member, job_id=claimed.job_id)
    clock.advance(LONG_ENOUGH)

    sweep(session, clock)

    assert state_of(session, claimed.job_id) is JobState.cancelled


def test_what_is_over_cannot_be_cancelled(session: Session, member: Member) -> None:
    claimed = factories.create_claimed_job(session, member)
    queue.fail(session, claimed, code="nan_loss", message="The loss became infinite.")

    with pytest.raises(JobIsOver):
        jobs.cancel(session, member, job_id=claimed.job_id)


def test_stopping_asks_a_running_job_to_end_with_what_it_has(session: Session, member: Member) -> None:
    claimed = factories.create_claimed_job(session, member)

    jobs.stop(session, member, job_id=claimed.job_id)
    jobs.stop(session, member, job_id=claimed.job_id)

    assert queue.wish(session, claimed) == queue.Wish(cancel=False, stop=True)
    queue.finish(session, claimed, model_version_id="mv_1", charged=1)
    assert state_of(session, claimed.job_id) is JobState.succeeded


def test_a_waiting_job_has_nothing_to_keep(session: Session, member: Member) -> None:
    job = factories.create_job(session, member)

    with pytest.raises(JobNotRunning):
        jobs.stop(session, member, job_id=job.id)


def test_a_worker_whose_commit_went_unanswered_learns_that_it_was_heard(
    session: Session, member: Member
) -> None:
    claimed = factories.create_claimed_job(session, member)
    before = queue.ended_by(session, claimed)
    queue.finish(session, claimed, model_version_id="mv_1", charged=1)

    with pytest.raises(LeaseLost):
        queue.finish(session, claimed, model_version_id="mv_1", charged=1)

    assert before is None
    assert queue.ended_by(session, claimed) is JobState.succeeded
    assert queue.ended_by(session, replace(claimed, token="another")) is None


def test_an_unknown_kind_of_job_waits(session: Session, member: Member) -> None:
    strange = factories.create_job(session, member)
    strange.kind = "read-tea-leaves"
    session.add(strange)
    session.flush()
    known = factories.create_job(session, member)

    assert claim(session).job_id == known.id
    assert claim(session) is None
    assert state_of(session, strange.id) is JobState.queued


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("queued", "succeeded"),
        ("queued", "running"),  # without a lease
        ("succeeded", "queued"),
        ("failed", "running"),
        ("cancelled", "succeeded"),
    ],
)
def test_the_database_refuses_an_illegal_change(
    session: Session, member: Member, before: str, after: str
) -> None:
    job = factories.create_job(session, member)
    if before == "succeeded":
        queue.finish(session, claim(session), model_version_id="mv_1", charged=0)
    elif before == "failed":
        queue.fail(session, claim(session), code="x", message="x")
    elif before == "cancelled":
        jobs.cancel(session, member, job_id=job.id)

    with pytest.raises(IntegrityError, match="illegal change of a job"), session.begin_nested():
        session.execute(update(Job).where(col(Job.id) == job.id).values(state=after))

    assert state_of(session, job.id) == before


def test_a_line_told_twice_is_kept_once(session: Session, member: Member) -> None:
    claimed = factories.create_claimed_job(session, member)
    told = [
        (0, RunEvent(kind=EventKind.phase, phase=Phase.training)),
        (1, RunEvent(kind=EventKind.progress, phase=Phase.training, step=5, steps=10, values={"loss": 0.5})),
    ]

    queue.begin_again(session, claimed, device="cpu")
    queue.report(session, claimed, told)
    queue.report(session, claimed, told)

    kept = jobs.events(session, member, job_id=claimed.job_id)
    assert [(event.position, event.values) for event in kept] == [(0, {}), (1, {"loss": 0.5})]
    assert [event.position for event in jobs.events(session, member, job_id=claimed.job_id, after=0)] == [1]
    job = jobs.get(session, member, job_id=claimed.job_id)
    assert (job.phase, job.progress, job.device) == ("training", 0.5, "cpu")


def test_a_new_attempt_tells_its_story_from_the_start(session: Session, member: Member) -> None:
    claimed = factories.create_claimed_job(session, member)
    queue.report(session, claimed, [(0, RunEvent(kind=EventKind.phase, phase=Phase.training))])

    queue.begin_again(session, claimed, device="cpu")

    assert jobs.events(session, member, job_id=claimed.job_id) == []
