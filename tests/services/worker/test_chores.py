"""What workers do beside jobs, done once by whoever comes."""

import threading
import time
from datetime import timedelta

import pytest
from sqlmodel import select

from services import clock as clock_seam
from services import storage
from services.accounts import sign_ins
from services.accounts.scope import Member
from services.accounts.tables import SignIn
from services.billing.tables import Invoice
from services.datasets import files, uncounted
from services.datasets import service as datasets
from services.datasets.tables import DatasetVersion
from services.db import reading, transaction
from services.jobs import queue
from services.jobs.queue import HEARTBEAT, LEASE
from services.jobs.retention import KEEP_EVENTS, KEEP_WORKERS
from services.jobs.tables import JobEvent, JobState, Worker
from services.registry import service as registry
from services.training.process.events import EventKind, Phase, RunEvent
from services.training.recipe import Task
from services.worker import chores
from tests import factories
from tests.conftest import Clock
from tests.services.billing.factories import record
from tests.services.datasets.factories import csv_form, support_csv

PATIENCE_SECONDS = 30


@pytest.fixture
def customer(live_database: str) -> Member:
    with transaction() as session:
        return factories.create_member(session)


def claimed_job(member: Member) -> queue.Claimed:
    with transaction() as session:
        return factories.create_claimed_job(session, member)


def lose(clock: Clock) -> None:
    clock.advance(LEASE.total_seconds() + 1)
    chores.recover()
    clock.advance(HEARTBEAT.total_seconds())
    chores.recover()


def test_what_is_due_is_done_beside_the_jobs(customer: Member, clock: Clock) -> None:
    claimed = claimed_job(customer)
    clock.advance(LEASE.total_seconds() + 1)
    chores.recover()
    clock.advance(HEARTBEAT.total_seconds())
    stop = threading.Event()
    thread = threading.Thread(target=chores.run, args=(stop,))
    thread.start()

    deadline = time.monotonic() + PATIENCE_SECONDS
    while (state := state_of(claimed)) is JobState.running and time.monotonic() < deadline:
        time.sleep(0.05)
    stop.set()
    thread.join(PATIENCE_SECONDS)

    assert state is JobState.queued


def test_what_nobody_can_use_any_more_is_forgotten(customer: Member, clock: Clock) -> None:
    claimed = claimed_job(customer)
    with transaction() as session:
        queue.report(session, claimed, [(0, RunEvent(kind=EventKind.phase, phase=Phase.training))])
        queue.fail(session, claimed, code="x", message="x")
        sign_ins.begin(session)
    clock.advance((max(KEEP_EVENTS, KEEP_WORKERS) + timedelta(days=1)).total_seconds())
    with transaction() as session:
        sign_ins.begin(session)
        alive = factories.next_worker(session)

    chores.prune()

    with reading() as session:
        assert session.exec(select(JobEvent)).all() == []
        assert [worker.id for worker in session.exec(select(Worker))] == [alive]
        assert len(session.exec(select(SignIn)).all()) == 1


def test_files_of_a_lost_attempt_are_swept_and_no_others(customer: Member, clock: Clock) -> None:
    claimed = claimed_job(customer)
    lost = registry.prefix_of(claimed.tenant_id, claimed.job_id, claimed.token)
    other = registry.prefix_of(claimed.tenant_id, claimed.job_id, "another")
    for prefix in (lost, other):
        storage.put(f"{prefix}/model.safetensors", b"weights")
    lose(clock)
    chores.sweep()
    early = storage.get(f"{lost}/model.safetensors")
    clock.advance(2 * 3600)

    chores.sweep()

    assert early == b"weights"
    assert storage.get(f"{other}/model.safetensors") == b"weights"
    with pytest.raises(Exception, match="file"):
        storage.get(f"{lost}/model.safetensors")


# Into the next month, or the one after that: worker or workspace may have been held up for a while.
@pytest.mark.parametrize("days", [32, 70])
def test_months_are_closed_once_they_are_over(customer: Member, clock: Clock, days: int) -> None:
    first_of_month = clock_seam.now().replace(day=1, hour=12)
    clock.advance((first_of_month - clock_seam.now()).total_seconds())
    with transaction() as session:
        record(session, customer, texts=1000)

    chores.close_months()
    with reading() as session:
        early = session.exec(select(Invoice)).all()
    clock.advance(timedelta(days=days).total_seconds())
    chores.close_months()
    chores.close_months()

    assert early == []
    with reading() as session:
        assert len(session.exec(select(Invoice)).all()) == 1


def state_of(claimed: queue.Claimed) -> JobState:
    with reading() as session:
        held = session.get_one(factories.Job, claimed.job_id)
    return held.state


def test_versions_without_tokens_are_counted_beside_the_jobs(customer: Member) -> None:
    with (
        files.store(customer, filename="cards.csv", content=support_csv()) as stored,
        transaction() as session,
    ):
        upload = datasets.upload(session, customer, stored=stored)
    with files.freeze(customer, upload, form=csv_form(), seed=42) as frozen:
        counted, frozen.tokens = frozen.tokens, None
        with transaction() as session:
            here = datasets.create(session, customer, name="cards", version=frozen).id
    with transaction() as session:
        # Its files are gone.
        elsewhere = factories.create_version(session, factories.create_member(session)).id
        # No chat model is here to count them by.
        conversations = factories.create_version(session, customer)
        conversations.task = Task.chat

    chores.count_tokens()

    with reading() as session:
        assert counted
        assert session.get_one(DatasetVersion, here).tokens == counted
        assert session.get_one(DatasetVersion, elsewhere).tokens == {}
        assert [one.id for one in uncounted.waiting(session, tasks=list(Task))] == [conversations.id]


def test_a_version_that_is_deleted_while_it_is_counted_holds_nobody_up(
    customer: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction() as session:
        stays, goes = (factories.create_version(session, customer).id for _ in range(2))
    counted = files.counted

    def delete_meanwhile(version: DatasetVersion) -> dict[str, object]:
        if version.id == goes:
            with transaction() as session:
                session.delete(session.get_one(DatasetVersion, goes))
        return counted(version)

    monkeypatch.setattr(files, "counted", delete_meanwhile)

    chores.count_tokens()

    with reading() as session:
        assert session.get(DatasetVersion, goes) is None
        assert session.get_one(DatasetVersion, stays).tokens == {}


def test_the_newest_versions_are_counted_first(customer: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uncounted, "_AT_ONCE", 1)
    with transaction() as session:
        _, newest = (factories.create_version(session, customer).id for _ in range(2))

        assert [one.id for one in uncounted.waiting(session, tasks=list(Task))] == [newest]
