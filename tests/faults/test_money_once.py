"""Promise 11: one charge and one model version for a success, whatever answer is lost at the finish."""

from dataclasses import replace

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from services.accounts.scope import Member, across
from services.accounts.tables import Tenant
from services.billing import service as billing
from services.config import settings
from services.db import engine_for, reading, transaction
from services.jobs.tables import Job, JobState
from services.metering.tables import UsageEvent
from services.registry.tables import ModelVersion
from services.worker import loop
from services.worker.lease import Lease
from tests import factories
from tests.faults.conftest import ROUNDS
from tests.faults.proxy import Proxy
from tests.services.worker.test_settle import trained

POSTGRES_ONLY = pytest.mark.parametrize("template", ["postgres"], indirect=True)
SECONDS_USED = 12
TIMES = 5 * ROUNDS


@pytest.fixture
def customer(live_database: str, monkeypatch: pytest.MonkeyPatch) -> Member:
    monkeypatch.setattr(loop, "POLL_SECONDS", 0.01)
    with transaction() as session:
        member = factories.create_member(session)
        billing.grant_trial(session, member)
        tenant = session.get_one(Tenant, member.tenant_id)
        tenant.open_job_limit = tenant.running_job_limit = 10_000
        session.add(tenant)
    return member


def finish(member: Member, lose_the_answer) -> None:
    """Settle a success as the worker does, which tries again where no answer comes."""
    claimed, came = trained(member)
    lease = Lease(claimed, worker_id="nobody")
    lose_the_answer()
    loop._settle(claimed, replace(came, seconds=float(SECONDS_USED)), lease, "cpu")


def assert_paid_once(member: Member, *, successes: int) -> None:
    with reading() as session:
        succeeded = session.exec(across(Job).where(Job.state == JobState.succeeded)).all()
        used = session.exec(across(UsageEvent).where(UsageEvent.meter == "training_seconds")).all()
        versions = session.exec(across(ModelVersion)).all()
        spent = billing.month_spend(session, member).micros
    assert len(succeeded) == successes
    assert sorted(event.job_id for event in used) == sorted(job.id for job in succeeded)
    assert {(version.job_id, version.id) for version in versions} == {
        (job.id, job.model_version_id) for job in succeeded
    }
    assert spent == sum(job.charged for job in succeeded)


def test_a_finish_whose_answer_was_lost_is_paid_once(customer: Member) -> None:
    def lose_one(_: Session) -> None:
        event.remove(Session, "after_commit", lose_one)
        raise OperationalError("COMMIT", {}, Exception("the answer was lost"))

    for _ in range(TIMES):
        finish(customer, lambda: event.listen(Session, "after_commit", lose_one))

    assert_paid_once(customer, successes=TIMES)


def test_a_finish_that_was_not_heard_is_told_again(customer: Member) -> None:
    def break_one(_: Session) -> None:
        event.remove(Session, "before_commit", break_one)
        raise OperationalError("COMMIT", {}, Exception("the server was gone"))

    for _ in range(TIMES):
        finish(customer, lambda: event.listen(Session, "before_commit", break_one))

    assert_paid_once(customer, successes=TIMES)


@POSTGRES_ONLY
def test_a_finish_whose_connection_broke_at_the_commit_is_paid_once(
    customer: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(settings().database_url) as proxy:
        monkeypatch.setenv("TUNEPORT_DATABASE_URL", proxy.url)
        settings.cache_clear()

        for _ in range(TIMES):
            finish(customer, lambda: proxy.lose_commits(1))

        assert proxy.commits_lost == TIMES
        assert_paid_once(customer, successes=TIMES)
        engine_for(proxy.url).dispose()
