"""What an attempt's outcome does to the world: one transaction each."""

import logging
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from sqlmodel import Session

from services import clock, storage
from services.billing import service as billing
from services.db import reading, transaction
from services.jobs import queue
from services.jobs.errors import CancelRequested, LeaseLost
from services.jobs.queue import Claimed
from services.jobs.tables import JobState
from services.metering import service as metering
from services.metering import usage
from services.registry import service as registry
from services.training.process.launcher import Crashed, Failed, Succeeded
from services.training.recipe import RunSpec
from services.worker.attempt import CANCELLED, SHUTTING_DOWN, TOO_LONG, Attempt, folder_of, forget

log = logging.getLogger(__name__)


def settle(claimed: Claimed, attempt: Attempt, *, device: str) -> None:
    """Publish, charge, fail or give back, whichever the outcome asks for.

    Raises:
        LeaseLost: another attempt has the job; nothing was changed.
    """
    outcome = attempt.outcome
    log.info(
        "job %s attempt %s ended after %.1f s: %s",
        claimed.job_id,
        claimed.attempt,
        attempt.seconds,
        type(outcome).__name__ if isinstance(outcome, Succeeded) else outcome,
    )
    if isinstance(outcome, Succeeded):
        _publish(claimed, attempt, outcome, device=device)
    elif isinstance(outcome, Failed) and outcome.whose == "data":
        with transaction() as session:
            queue.fail(session, claimed, code=outcome.code, message=outcome.message)
        forget(claimed)
    elif isinstance(outcome, Failed):
        with transaction() as session:
            queue.retry(session, claimed, code=outcome.code, message=outcome.message)
    elif isinstance(outcome, Crashed):
        with transaction() as session:
            queue.retry(session, claimed, code="run_crashed", message=_CRASHED)
    elif outcome == CANCELLED:
        with transaction() as session:
            charged = _charge(session, claimed, attempt.seconds, device)
            queue.end_cancelled(session, claimed, charged=charged)
        forget(claimed)
    elif outcome == TOO_LONG:
        with transaction() as session:
            queue.fail(session, claimed, code="max_runtime_reached", message=_TOO_LONG)
        forget(claimed)
    elif outcome == SHUTTING_DOWN:
        with transaction() as session:
            queue.release(session, claimed)
    # Of a lost lease nothing is told: the job is somebody else's now.


_CRASHED = (
    "The training run ended without a word, which is our fault and costs nothing. "
    "We have been told; submit the job again, with a smaller base model if it happens twice."
)
_TOO_LONG = (
    "The job reached the longest run time of your plan and was stopped; it costs nothing. "
    "Choose the Quick preset, fewer epochs or a smaller base model."
)


def _publish(claimed: Claimed, attempt: Attempt, outcome: Succeeded, *, device: str) -> None:
    folder = folder_of(claimed)
    artefact = registry.store(
        folder / "model", tenant_id=claimed.tenant_id, job_id=claimed.job_id, attempt_id=claimed.token
    )
    try:
        with transaction() as session:
            queue.held(session, claimed)
            version = registry.publish(
                session,
                claimed.member,
                name=claimed.model_name,
                job_id=claimed.job_id,
                labels=_labels(folder),
                report=outcome.report,
                artefact=artefact,
            )
            charged = _charge(session, claimed, attempt.seconds, device)
            _count_tokens(session, claimed, outcome.report.trained_tokens)
            queue.finish(session, claimed, model_version_id=version.id, charged=charged)
    except CancelRequested:
        storage.delete(artefact.prefix)
        settle(claimed, Attempt(CANCELLED, attempt.seconds), device=device)
        return
    except LeaseLost:
        with reading() as session:
            published = queue.ended_by(session, claimed) is JobState.succeeded
        # An earlier try was heard, and only its answer was lost.
        if not published:
            storage.delete(artefact.prefix)
            raise
    # After any other error nobody knows yet whether the model is published: its files stay for the next try.
    forget(claimed)


def _labels(folder: Path) -> list[str]:
    return RunSpec.model_validate_json((folder / "spec.json").read_text()).labels


def _charge(session: Session, claimed: Claimed, seconds: float, device: str) -> int:
    """Record the run's device time, never beyond the quote; gives micro-units of the tenant's currency."""
    job = queue.held(session, claimed)
    used = min(usage.seconds(timedelta(seconds=seconds)), Decimal(job.quoted_seconds_high))
    # A run that happened to get a dearer device than was quoted costs what was quoted.
    charged, device_class = min(
        (billing.training_charge(session, claimed.member, seconds=used, device_class=kind).micros, kind)
        for kind in {device, job.quoted_device_class}
    )
    event = usage.training(
        tenant_id=claimed.tenant_id,
        job_id=claimed.job_id,
        device_class=device_class,
        device_seconds=used,
        at=clock.now(),
        user_id=job.user_id,
        key_id=job.key_id,
    )
    metering.record(session, [event])
    return charged


def _count_tokens(session: Session, claimed: Claimed, tokens: int) -> None:
    job = queue.held(session, claimed)
    event = usage.trained_tokens(
        tenant_id=claimed.tenant_id,
        job_id=claimed.job_id,
        tokens=tokens,
        at=clock.now(),
        user_id=job.user_id,
        key_id=job.key_id,
    )
    metering.record(session, [event])
