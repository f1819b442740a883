"""The Quick model that is published while its job goes on."""

from dataclasses import replace

import pytest
from sqlmodel import select

from services import storage
from services.accounts.scope import Member
from services.billing import service as billing
from services.db import reading, transaction
from services.errors import NotFound
from services.jobs import queue
from services.jobs import service as jobs
from services.jobs.queue import Claimed
from services.jobs.tables import JobState
from services.metering.tables import UsageEvent
from services.registry import service as registry
from services.registry.tables import ModelVersion, Stage
from services.training.process.folder import RunFolder
from services.training.process.launcher import Succeeded
from services.worker.attempt import Attempt, folder_of
from services.worker.first import First, first_of
from services.worker.settle import settle
from tests import factories
from tests.services.registry.test_service import create_report
from tests.services.worker.test_settle import trained


@pytest.fixture
def customer(live_database: str) -> Member:
    with transaction() as session:
        member = factories.create_member(session)
        billing.grant_trial(session, member)
    return member


def going_on(member: Member, *, value: float = 0.8) -> tuple[Claimed, Attempt, RunFolder]:
    """An attempt whose run has left its Quick model, and will have left another one."""
    claimed, came = trained(member)
    folder = RunFolder(folder_of(claimed))
    folder.first_model.mkdir(parents=True)
    (folder.first_model / "model.safetensors").write_bytes(b"quick")
    folder.first_report.write_text(create_report(value=value).model_dump_json())
    return claimed, came, folder


def versions(member: Member) -> list[ModelVersion]:
    with reading() as session:
        return [
            version
            for model in registry.models(session, member)
            for version in reversed(registry.versions(session, member, model_id=model.id))
        ]


def in_production(member: Member) -> list[str]:
    with reading() as session:
        return list(registry.production(session, member).values())


def first_weights(claimed: Claimed) -> bytes:
    prefix = registry.prefix_of(claimed.tenant_id, claimed.job_id, first_of(claimed.token))
    return storage.get(f"{prefix}/model.safetensors")


def test_quick_is_there_while_the_job_runs_and_gives_way_to_what_it_comes_to(customer: Member) -> None:
    claimed, came, folder = going_on(customer)
    first = First(claimed, folder)

    first.look()
    first.look()

    [quick] = versions(customer)
    assert (quick.stage, quick.number) == (Stage.first, 1)
    assert in_production(customer) == [quick.id]
    assert first_weights(claimed) == b"quick"
    with reading() as session:
        job = jobs.get(session, customer, job_id=claimed.job_id)
        assert (job.state, job.first_version_id, job.charged) == (JobState.running, quick.id, None)
        assert session.exec(select(UsageEvent)).all() == []

    settle(claimed, came, device="cpu")

    _, last = versions(customer)
    assert (last.stage, last.number) == (Stage.last, 2)
    assert in_production(customer) == [last.id]
    with reading() as session:
        used = session.exec(select(UsageEvent).where(UsageEvent.meter == "training_seconds")).all()
    assert len(used) == 1


def test_a_last_model_that_is_worse_on_the_test_split_leaves_production_alone(customer: Member) -> None:
    claimed, came, folder = going_on(customer, value=0.95)
    First(claimed, folder).look()

    settle(claimed, replace(came, outcome=Succeeded(create_report(value=0.9))), device="cpu")

    quick, _ = versions(customer)
    assert in_production(customer) == [quick.id]


def test_another_attempt_publishes_no_second_quick(customer: Member) -> None:
    claimed, _, folder = going_on(customer)
    First(claimed, folder).look()

    First(claimed, folder).look()

    assert len(versions(customer)) == 1


def test_an_attempt_that_lost_its_job_publishes_no_quick(customer: Member) -> None:
    claimed, _, folder = going_on(customer)
    with transaction() as session:
        queue.release(session, claimed)

    First(claimed, folder).look()

    assert versions(customer) == []


def test_a_cancelled_job_publishes_no_quick(customer: Member) -> None:
    claimed, _, folder = going_on(customer)
    with transaction() as session:
        jobs.cancel(session, customer, job_id=claimed.job_id)

    First(claimed, folder).look()

    assert versions(customer) == []
    with pytest.raises(NotFound):
        first_weights(claimed)


def test_a_quick_that_is_not_whole_yet_waits(customer: Member) -> None:
    claimed, _, folder = going_on(customer)
    report = folder.first_report.read_text()
    folder.first_report.unlink()
    first = First(claimed, folder)

    first.look()
    none_yet = versions(customer)
    folder.first_report.write_text(report)
    first.look()

    assert none_yet == []
    assert len(versions(customer)) == 1
