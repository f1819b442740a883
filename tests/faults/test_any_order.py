"""Promises 4 and 13: whatever happens in whatever order, both databases do what a simple model says."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select
from sqlmodel import Session

from services import clock
from services.accounts.scope import Member
from services.accounts.tables import Tenant
from services.db import engine_for
from services.jobs import queue, retention
from services.jobs import service as jobs
from services.jobs.errors import CancelRequested, JobIsOver, JobNotRunning, LeaseLost
from services.jobs.queue import HEARTBEAT, LEASE, Claimed
from services.jobs.tables import Job, JobAttempt, JobEvent, JobState
from services.training.process import events
from tests import factories
from tests.faults.conftest import ROUNDS

DEEDS = ["beat", "progress", "begin_again", "finish", "fail", "retry", "release"]
EXAMPLES = 12 * ROUNDS
STEPS = 30
LIMIT = 2
# Far from all bounds of time, so that the seconds that a test takes decide nothing; and beyond the longest
# pause before a next attempt, so that neither does chance.
STEPS_OF_TIME = (12, 40, 700)


@dataclass
class Expected:
    """A job as it should be."""

    member: Member
    key: str
    state: JobState = JobState.queued
    attempt: int = 0
    holder: str | None = None
    lease_left: float = 0.0
    doubted_for: float | None = None
    cancelled: bool = False
    stopped: bool = False
    positions: set[int] = field(default_factory=set)

    def leave(self, state: JobState) -> None:
        self.state, self.holder, self.doubted_for = state, None, None


class Queue(RuleBasedStateMachine):
    """The queue and its model, side by side; everything happens in a transaction that is undone."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self._offset = clock.offset()
        self._connection = engine_for(self.url).connect()
        self._outer = self._connection.begin()
        self._session = self._new_session()
        self._expected: dict[str, Expected] = {}
        self._claims: list[Claimed] = []
        with self._act() as session:
            tenants = [
                factories.create_tenant(session, running_job_limit=LIMIT, open_job_limit=1000, share_weight=w)
                for w in (1, 2)
            ]
            self._members = [factories.create_member(session, tenant_id=tenant.id) for tenant in tenants]
            self._versions = [factories.create_version(session, member).id for member in self._members]
            self._worker_id = factories.next_worker(session)
        for who in (0, 1, 1):
            self.submit(who, key=len(self._expected))
            self.claim()

    def teardown(self) -> None:
        self._session.close()
        self._outer.rollback()
        self._connection.close()
        clock.move(self._offset - clock.offset())

    def _new_session(self) -> Session:
        return Session(self._connection, join_transaction_mode="create_savepoint", expire_on_commit=False)

    @contextmanager
    def _act(self) -> Iterator[Session]:
        """One transaction of the product; what a refusal had changed is undone."""
        try:
            yield self._session
            self._session.commit()
        except BaseException:
            self._session.rollback()
            raise

    @rule(who=st.integers(0, 1), key=st.integers(0, 6))
    def submit(self, who: int, key: int) -> None:
        with self._act() as session:
            job = factories.create_job(
                session,
                self._members[who],
                key=f"key-{key}",
                dataset_version_id=self._versions[who],
                model_name="model",
            )
        known = self._expected.setdefault(job.id, Expected(self._members[who], f"key-{key}"))
        assert (known.member, known.key) == (self._members[who], f"key-{key}")

    @rule(data=st.data(), deeds=st.lists(st.sampled_from(DEEDS), min_size=1, max_size=5))
    def work(self, data: st.DataObject, deeds: list[str]) -> None:
        """A worker claims, and attempts do things; most often those that still hold their job."""
        self.claim()
        for deed in deeds if self._claims else []:
            holding = [claim for claim in self._claims if self._expected[claim.job_id].holder == claim.token]
            claimed = data.draw(st.sampled_from(holding * 4 + self._claims))
            job = self._expected[claimed.job_id]
            getattr(self, f"_{deed}")(claimed, job, job.holder == claimed.token)

    def claim(self) -> None:
        possible = self._possible()
        with self._act() as session:
            turns = {tenant.id: tenant.next_turn for tenant in session.exec(select(Tenant)).scalars().all()}
            claimed = factories.claim(session, worker_id=self._worker_id)
        if claimed is None:
            assert not possible
            return
        assert claimed.job_id in possible
        others = {self._expected[job_id].member.tenant_id for job_id in possible}
        assert turns[claimed.tenant_id] == min(turns[tenant_id] for tenant_id in others)
        job = self._expected[claimed.job_id]
        job.state, job.holder, job.lease_left = JobState.running, claimed.token, LEASE.total_seconds()
        job.attempt += 1
        assert claimed.attempt == job.attempt
        self._claims.append(claimed)

    def _possible(self) -> set[str]:
        """Jobs that a claim may get: due, of a tenant below its limit."""
        with self._act() as session:
            due = {
                job.id
                for job in session.execute(select(Job).where(Job.state == JobState.queued)).scalars()
                if job.run_at <= clock.now()
            }
        return {
            job_id
            for job_id in due
            if sum(
                job.state is JobState.running and job.member == self._expected[job_id].member
                for job in self._expected.values()
            )
            < LIMIT
        }

    def _write(self, holds: bool, write, *arguments: object, **named: object) -> bool:
        """Do what only the holder may; whether it was done."""
        try:
            with self._act() as session:
                write(session, *arguments, **named)
        except LeaseLost:
            assert not holds
            return False
        assert holds
        return True

    def _beat(self, claimed: Claimed, job: Expected, holds: bool) -> None:
        if self._write(holds, self._renew_and_compare, claimed, job):
            job.lease_left, job.doubted_for = LEASE.total_seconds(), None

    def _renew_and_compare(self, session: Session, claimed: Claimed, job: Expected) -> None:
        assert queue.renew(session, claimed) == queue.Wish(cancel=job.cancelled, stop=job.stopped)

    def _progress(self, claimed: Claimed, job: Expected, holds: bool) -> None:
        position = len(job.positions)
        told = events.RunEvent(
            kind=events.EventKind.progress, phase=events.Phase.training, step=position, steps=4
        )
        if self._write(holds, queue.report, claimed, [(position, told)]):
            job.positions.add(position)

    def _begin_again(self, claimed: Claimed, job: Expected, holds: bool) -> None:
        if self._write(holds, queue.begin_again, claimed, device="cpu"):
            job.positions.clear()

    def _finish(self, claimed: Claimed, job: Expected, holds: bool) -> None:
        try:
            done = self._write(holds, queue.finish, claimed, model_version_id="mv", charged=1)
        except CancelRequested:
            assert holds
            assert job.cancelled
            return
        if done:
            assert not job.cancelled
            job.leave(JobState.succeeded)

    def _fail(self, claimed: Claimed, job: Expected, holds: bool) -> None:
        if self._write(holds, queue.fail, claimed, code="x", message="x"):
            job.leave(JobState.failed)

    def _retry(self, claimed: Claimed, job: Expected, holds: bool) -> None:
        if self._write(holds, queue.retry, claimed, code="x", message="x"):
            self._give_back(job, JobState.failed)

    def _release(self, claimed: Claimed, job: Expected, holds: bool) -> None:
        if self._write(holds, queue.release, claimed):
            if job.cancelled:
                job.leave(JobState.cancelled)
            else:
                job.leave(JobState.queued)
                job.attempt -= 1

    def _give_back(self, job: Expected, after_the_last: JobState) -> None:
        if job.cancelled:
            job.leave(JobState.cancelled)
        else:
            job.leave(after_the_last if job.attempt >= 3 else JobState.queued)

    @precondition(lambda self: self._expected)
    @rule(data=st.data(), wish=st.sampled_from(["cancel", "stop"]))
    def customer(self, data: st.DataObject, wish: str) -> None:
        """A customer wishes something of a job; most often of one that runs."""
        running = [job_id for job_id, job in self._expected.items() if job.holder]
        job_id = data.draw(st.sampled_from(running * 2 + list(self._expected)))
        getattr(self, f"_{wish}")(job_id, self._expected[job_id])

    def _cancel(self, job_id: str, job: Expected) -> None:
        try:
            with self._act() as session:
                jobs.cancel(session, job.member, job_id=job_id)
        except JobIsOver:
            assert job.state in {JobState.succeeded, JobState.failed}
            return
        assert job.state not in {JobState.succeeded, JobState.failed}
        job.cancelled = True
        if job.state is JobState.queued:
            job.leave(JobState.cancelled)

    def _stop(self, job_id: str, job: Expected) -> None:
        try:
            with self._act() as session:
                jobs.stop(session, job.member, job_id=job_id)
        except JobNotRunning:
            assert job.state is JobState.queued
        except JobIsOver:
            assert job.state.is_final or job.cancelled
        else:
            assert job.state is JobState.running
            job.stopped = True

    @rule(seconds=st.sampled_from(STEPS_OF_TIME), swept=st.booleans())
    def time_goes_by(self, seconds: int, swept: bool) -> None:
        clock.move(timedelta(seconds=seconds))
        for job in self._expected.values():
            job.lease_left -= seconds
            if job.doubted_for is not None:
                job.doubted_for += seconds
        if swept:
            self._sweep()

    def _sweep(self) -> None:
        with self._act() as session:
            recovered = set(queue.recover(session))
        lost = {
            job_id: job
            for job_id, job in self._expected.items()
            if job.state is JobState.running
            and job.lease_left < 0
            and (job.doubted_for or 0) > HEARTBEAT.total_seconds()
        }
        assert recovered == set(lost)
        for job in lost.values():
            self._give_back(job, JobState.failed)
        for job in self._expected.values():
            if job.state is JobState.running and job.lease_left < 0 and job.doubted_for is None:
                job.doubted_for = 0

    @rule()
    def prune_and_restart(self) -> None:
        """Nothing here is old enough; and the process is started anew."""
        with self._act() as session:
            assert retention.prune_events(session) == 0
        self._session.close()
        self._session = self._new_session()

    @invariant()
    def all_is_as_expected(self) -> None:
        with self._act() as session:
            session.expire_all()
            found = session.execute(select(Job)).scalars().all()
            told = session.execute(select(JobEvent.job_id, JobEvent.position)).all()
            open_attempts = session.execute(
                select(JobAttempt.job_id, JobAttempt.id).where(JobAttempt.ended_at.is_(None))
            ).all()
        assert {job.id: (job.state, job.attempt) for job in found} == {
            job_id: (job.state, job.attempt) for job_id, job in self._expected.items()
        }
        assert set(told) == {
            (job_id, position) for job_id, job in self._expected.items() for position in job.positions
        }
        assert set(open_attempts) == {
            (job_id, job.holder) for job_id, job in self._expected.items() if job.holder
        }


@pytest.mark.timeout(300 * ROUNDS)
def test_whatever_happens_the_queue_does_what_its_model_says(database_url: str) -> None:
    machine = type("QueueOfThisDatabase", (Queue,), {"url": database_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=ROUNDS == 1,
            # Thirty steps can be read, and making them fewer would take minutes.
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
