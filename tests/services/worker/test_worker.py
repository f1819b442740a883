"""A job worked on for real: a child process trains, and each outcome is settled once."""

import os
import signal
import threading
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from sqlmodel import select

from services.accounts.scope import Member
from services.billing import service as billing
from services.config import settings
from services.db import reading, transaction
from services.jobs import service as jobs
from services.jobs.queue import Claimed
from services.jobs.tables import JobState
from services.metering.tables import UsageEvent
from services.registry import service as registry
from services.training.process import launcher
from services.training.quoting import device as devices
from services.worker import loop
from services.worker.attempt import SHUTTING_DOWN, Attempt, attempt, folder_of
from services.worker.lease import Lease
from services.worker.settle import settle
from tests.services.worker.working import (
    LONG,
    PATIENCE_SECONDS,
    SQLITE_ONLY,
    claim,
    job_of,
    order,
    wait_for,
    working,
)


def test_a_job_becomes_a_model_a_charge_and_a_report(customer: Member, tmp_path: Path) -> None:
    order(customer)
    claimed, worker_id = claim()

    with Lease(claimed, worker_id=worker_id) as lease:
        settle(claimed, attempt(claimed, lease, device="cpu", stop=threading.Event()), device="cpu")

    job = job_of(customer, claimed)
    assert job.state is JobState.succeeded, job.failure
    assert 0 <= job.charged <= job.quoted_high
    with reading() as session:
        version = registry.resolve(session, customer, name="rows")
        told = jobs.events(session, customer, job_id=job.id)
        used = session.exec(select(UsageEvent).where(UsageEvent.job_id == job.id)).all()
    assert version.id == job.model_version_id
    assert version.value > 0.5
    assert {"embedding", "fitting", "evaluating"} <= {event.phase for event in told}
    training = next(event for event in used if event.meter == "training_seconds")
    assert Decimal(0) < training.quantity <= job.quoted_seconds_high
    registry.fetch(version, tmp_path / "fetched")
    assert (tmp_path / "fetched/model.safetensors").exists()
    assert not folder_of(claimed).exists()


@SQLITE_ONLY
def test_a_cancelled_run_ends_with_its_process(customer: Member) -> None:
    order(customer, LONG)
    claimed, worker_id = claim()

    with Lease(claimed, worker_id=worker_id) as lease, working(claimed, lease, threading.Event()) as results:
        wait_for(lambda: (folder_of(claimed) / "events.jsonl").exists())
        with transaction() as session:
            jobs.cancel(session, customer, job_id=claimed.job_id)
    settle(claimed, results[0], device="cpu")

    assert job_of(customer, claimed).state is JobState.cancelled
    with reading() as session:
        assert registry.models(session, customer) == []


@SQLITE_ONLY
def test_a_stopped_run_is_published_with_what_it_has_learned(customer: Member) -> None:
    order(customer, LONG)
    claimed, worker_id = claim()

    with Lease(claimed, worker_id=worker_id) as lease, working(claimed, lease, threading.Event()) as results:
        wait_for(lambda: (folder_of(claimed) / "events.jsonl").exists())
        with transaction() as session:
            jobs.stop(session, customer, job_id=claimed.job_id)
    settle(claimed, results[0], device="cpu")

    job = job_of(customer, claimed)
    assert job.state is JobState.succeeded
    with reading() as session:
        report = registry.get_version(session, customer, version_id=job.model_version_id).report
    assert report["stopped_at_step"] is not None


@SQLITE_ONLY
def test_a_run_ends_with_what_it_has_when_its_quote_is_used_up(customer: Member) -> None:
    order(customer, LONG)
    claimed, worker_id = claim()
    claimed = replace(claimed, quoted_seconds_high=1)

    with Lease(claimed, worker_id=worker_id) as lease, working(claimed, lease, threading.Event()) as results:
        pass
    settle(claimed, results[0], device="cpu")

    job = job_of(customer, claimed)
    assert job.state is JobState.succeeded
    with reading() as session:
        report = registry.get_version(session, customer, version_id=job.model_version_id).report
        notes = [event.message for event in jobs.events(session, customer, job_id=job.id) if event.message]
    assert report["stopped_at_step"] is not None
    assert any("the time that was quoted is over" in note for note in notes)


@SQLITE_ONLY
def test_a_killed_run_is_tried_again(customer: Member) -> None:
    order(customer)
    claimed, worker_id = claim()

    with Lease(claimed, worker_id=worker_id) as lease, working(claimed, lease, threading.Event()) as results:
        wait_for(lambda: (folder_of(claimed) / "events.jsonl").exists())
        os.killpg(pid_of_run(claimed), signal.SIGKILL)
    settle(claimed, results[0], device="cpu")

    assert isinstance(results[0].outcome, launcher.Crashed)
    job = job_of(customer, claimed)
    assert (job.state, job.attempt) == (JobState.queued, 1)


@SQLITE_ONLY
def test_a_worker_that_stops_gives_its_job_back(customer: Member) -> None:
    order(customer, LONG)
    claimed, worker_id = claim()
    stop = threading.Event()

    with Lease(claimed, worker_id=worker_id) as lease, working(claimed, lease, stop) as results:
        wait_for(lambda: (folder_of(claimed) / "events.jsonl").exists())
        stop.set()
    settle(claimed, results[0], device="cpu")

    assert results[0].outcome == SHUTTING_DOWN
    job = job_of(customer, claimed)
    assert (job.state, job.attempt) == (JobState.queued, 0)


@SQLITE_ONLY
def test_what_the_data_cannot_give_fails_with_its_reason_and_costs_nothing(customer: Member) -> None:
    order(customer)
    claimed, _ = claim()

    reason = launcher.Failed(code="data_does_not_fit", message="Too little to learn from.", whose="data")
    settle(claimed, Attempt(reason, 12.0), device="cpu")

    job = job_of(customer, claimed)
    assert (job.state, job.failure_code, job.charged) == (JobState.failed, "data_does_not_fit", 0)
    with reading() as session:
        assert billing.month_spend(session, customer).micros == 0


@SQLITE_ONLY
def test_the_loop_takes_jobs_until_it_is_told_to_stop(customer: Member) -> None:
    job = order(customer)
    stop = threading.Event()
    worker = threading.Thread(target=loop.run, args=(stop,))
    worker.start()

    def ended() -> bool:
        with reading() as session:
            return jobs.get(session, customer, job_id=job.id).state.is_final

    wait_for(ended)
    stop.set()
    worker.join(PATIENCE_SECONDS)

    with reading() as session:
        assert jobs.get(session, customer, job_id=job.id).state is JobState.succeeded


def test_the_device_is_found_without_loading_torch_here() -> None:
    assert devices.find().kind in {"cpu", "cuda"}


def pid_of_run(claimed: Claimed) -> int:
    """The child that works in the job's folder."""
    folder = str(folder_of(claimed)).encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if folder in (process / "cmdline").read_bytes():
                return int(process.name)
        except OSError:
            continue
    raise AssertionError(f"no run in {settings().home}")


@SQLITE_ONLY
def test_a_run_that_was_ended_for_its_memory_is_started_once_more_and_smaller(
    customer: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    order(customer)
    claimed, worker_id = claim()
    beyond, starts = launcher.Failed("run_memory_limit", "More than a run may use.", "data"), []

    def too_little(self: launcher.Run) -> launcher.Outcome:
        starts.append(self.folder.smaller.exists())
        return beyond

    with monkeypatch.context() as patch, Lease(claimed, worker_id=worker_id) as lease:
        patch.setattr(launcher.Run, "outcome", too_little)
        patch.setattr(launcher.Run, "poll", lambda self: self._process.poll())
        came = attempt(claimed, lease, device="cpu", stop=threading.Event())
    settle(claimed, came, device="cpu")

    assert starts == [False, True]
    job = job_of(customer, claimed)
    assert (job.state, job.failure_code, job.charged) == (JobState.failed, "run_memory_limit", 0)


@SQLITE_ONLY
def test_a_run_killed_within_training_has_one_whole_curve_in_the_database(customer: Member) -> None:
    short = LONG.hyperparameters.model_copy(update={"epochs": 12, "batch_size": 8})
    order(customer, LONG.model_copy(update={"hyperparameters": short}))
    claimed, worker_id = claim()

    def trained() -> list[int]:
        with reading() as session:
            told = jobs.events(session, customer, job_id=claimed.job_id)
        return [event.step for event in told if "loss" in event.values and event.phase == "training"]

    with Lease(claimed, worker_id=worker_id) as lease, working(claimed, lease, threading.Event()) as results:
        wait_for(lambda: len(trained()) > 6)
        os.killpg(pid_of_run(claimed), signal.SIGKILL)
    assert isinstance(results[0].outcome, launcher.Crashed)
    with Lease(claimed, worker_id=worker_id) as lease:
        settle(claimed, attempt(claimed, lease, device="cpu", stop=threading.Event()), device="cpu")

    assert job_of(customer, claimed).state is JobState.succeeded
    curve = trained()
    assert curve == list(range(1, curve[-1] + 1))
    with reading() as session:
        notes = [event.message for event in jobs.events(session, customer, job_id=claimed.job_id)]
    assert any(note and note.startswith("Went on after step") for note in notes)
