"""The end of an attempt, where the database's answer is lost or the customer changes their mind."""

import shutil
from pathlib import Path

import pytest
from sqlmodel import select

from services import storage
from services.accounts.scope import Member
from services.billing import service as billing
from services.db import reading, transaction
from services.errors import NotFound
from services.jobs import queue
from services.jobs import service as jobs
from services.jobs.errors import LeaseLost
from services.jobs.queue import Claimed
from services.jobs.tables import JobState
from services.metering.tables import UsageEvent
from services.registry import service as registry
from services.training.process.launcher import Succeeded
from services.training.recipe import Recipe, RunSpec
from services.worker.attempt import Attempt, folder_of
from services.worker.settle import settle
from tests import factories
from tests.services.registry.test_service import create_report


@pytest.fixture
def customer(live_database: str) -> Member:
    with transaction() as session:
        member = factories.create_member(session)
        billing.grant_trial(session, member)
    return member


def trained(member: Member) -> tuple[Claimed, Attempt]:
    """A claimed job whose run has left a model."""
    with transaction() as session:
        claimed = factories.create_claimed_job(session, member)
    folder = folder_of(claimed)
    (folder / "model").mkdir(parents=True)
    (folder / "model/model.safetensors").write_bytes(b"weights")
    spec = RunSpec(
        recipe=Recipe.model_validate(claimed.recipe),
        base_model_path=folder,
        labels=["no", "yes"],
        data_hash="hash",
    )
    (folder / "spec.json").write_text(spec.model_dump_json())
    return claimed, Attempt(Succeeded(create_report()), 12.0)


def weights_of(claimed: Claimed) -> str:
    return f"{registry.prefix_of(claimed.tenant_id, claimed.job_id, claimed.token)}/model.safetensors"


def test_a_finish_whose_answer_was_lost_is_asked_for_again_and_counts_once(
    customer: Member, tmp_path: Path
) -> None:
    claimed, came = trained(customer)
    shutil.copytree(folder_of(claimed), tmp_path / "run")
    settle(claimed, came, device="cpu")
    shutil.copytree(tmp_path / "run", folder_of(claimed))

    settle(claimed, came, device="cpu")

    assert storage.get(weights_of(claimed)) == b"weights"
    assert not folder_of(claimed).exists()
    with reading() as session:
        assert jobs.get(session, customer, job_id=claimed.job_id).state is JobState.succeeded
        assert {event.meter for event in session.exec(select(UsageEvent))} == {
            "training_seconds",
            "trained_tokens",
        }
        assert len(session.exec(select(UsageEvent)).all()) == 2


def test_an_attempt_that_lost_its_job_leaves_nothing(customer: Member) -> None:
    claimed, came = trained(customer)
    with transaction() as session:
        queue.release(session, claimed)

    with pytest.raises(LeaseLost):
        settle(claimed, came, device="cpu")

    with pytest.raises(NotFound):
        storage.get(weights_of(claimed))


def test_a_cancellation_before_the_end_leaves_no_model(customer: Member) -> None:
    claimed, came = trained(customer)
    with transaction() as session:
        jobs.cancel(session, customer, job_id=claimed.job_id)

    settle(claimed, came, device="cpu")

    with pytest.raises(NotFound):
        storage.get(weights_of(claimed))
    with reading() as session:
        assert jobs.get(session, customer, job_id=claimed.job_id).state is JobState.cancelled
        assert registry.models(session, customer) == []
