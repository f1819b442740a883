"""Attempts as Prometheus hears of them."""

from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from services.accounts.scope import Staff, StaffRole
from services.db import transaction
from services.jobs import operate, queue
from services.jobs.queue import Claimed
from services.worker.counting import counted
from tests import factories

pytestmark = pytest.mark.usefixtures("live_database")
ADMIN = Staff(user_id="usr_ops", role=StaffRole.admin)


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def attempts(outcome: str) -> float:
    return value("tuneport_job_attempts_total", outcome=outcome)


@pytest.fixture
def claimed() -> Claimed:
    """A job that was claimed 40 seconds after it was due."""
    with transaction() as db:
        job = factories.create_job(db, factories.create_member(db))
        job.run_at -= timedelta(seconds=40)
        db.add(job)
        claimed = factories.claim(db)
    assert claimed is not None
    return claimed


def test_a_claim_and_its_end_are_counted(claimed: Claimed) -> None:
    before = value("tuneport_job_claims_total"), value("tuneport_job_wait_seconds_sum"), attempts("succeeded")

    with counted(claimed), transaction() as db:
        queue.finish(db, claimed, model_version_id="mv_1", charged=0)

    claims, waits, succeeded = before
    assert value("tuneport_job_claims_total") == claims + 1
    assert value("tuneport_job_wait_seconds_sum") == pytest.approx(waits + 40, abs=2)
    assert attempts("succeeded") == succeeded + 1


def test_a_fault_of_ours_is_counted_with_its_cause(claimed: Claimed) -> None:
    retried, crashed = attempts("retried"), value("tuneport_job_failures_total", code="run_crashed")

    with counted(claimed), transaction() as db:
        queue.retry(db, claimed, code="run_crashed", message="It crashed.")

    assert attempts("retried") == retried + 1
    assert value("tuneport_job_failures_total", code="run_crashed") == crashed + 1


def test_an_attempt_that_never_ended_lost_its_lease(claimed: Claimed) -> None:
    losses = value("tuneport_lease_losses_total")

    with counted(claimed):
        pass

    assert value("tuneport_lease_losses_total") == losses + 1


def test_a_job_failed_by_hand_is_no_lost_lease(claimed: Claimed) -> None:
    losses, failed = value("tuneport_lease_losses_total"), attempts("failed")

    with counted(claimed), transaction() as db:
        operate.fail(db, ADMIN, job_id=claimed.job_id, sentence="It hung.")

    assert value("tuneport_lease_losses_total") == losses
    assert attempts("failed") == failed + 1
