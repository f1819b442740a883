"""What operators do by hand: done, audited, and refused to everybody else."""

import pytest
from sqlmodel import Session, select

from services.accounts.scope import Member, Staff, StaffOnly, StaffRole
from services.accounts.tables import AuditEntry
from services.errors import NotFound
from services.jobs import operate, queue
from services.jobs import service as jobs
from services.jobs.errors import JobIsOver, LeaseLost, RecipeUnreadable
from services.jobs.operate import JobNotFailed, JobNotWaiting, SentenceMissing
from services.jobs.queue import Claimed
from services.jobs.tables import AttemptOutcome, Job, JobAttempt, JobState
from tests import factories

ADMIN = Staff(user_id="usr_ops", role=StaffRole.admin)
SALES = Staff(user_id="usr_sales", role=StaffRole.sales)


def audited(session: Session, job: Job) -> list[tuple[str, str, str | None]]:
    found = session.exec(select(AuditEntry).where(AuditEntry.subject == job.id).order_by(AuditEntry.id))
    return [(entry.action, entry.actor, entry.tenant_id) for entry in found]


def failed_job(session: Session, member: Member) -> Job:
    claimed = factories.create_claimed_job(session, member)
    queue.fail(session, claimed, code="nan_loss", message="The loss became infinite.")
    return jobs.get(session, member, job_id=claimed.job_id)


@pytest.mark.parametrize(
    "deed",
    [
        operate.try_now,
        operate.queue_again,
        lambda *who, job_id: operate.fail(*who, job_id=job_id, sentence="No."),
    ],
)
def test_only_operators_act_and_only_on_jobs_that_exist(session: Session, member: Member, deed) -> None:
    job = factories.create_job(session, member)

    with pytest.raises(StaffOnly):
        deed(session, SALES, job_id=job.id)
    with pytest.raises(NotFound):
        deed(session, ADMIN, job_id="job_0")


def test_a_pause_is_cut_short(session: Session, member: Member) -> None:
    claimed = factories.create_claimed_job(session, member)
    queue.retry(session, claimed, code="run_crashed", message="It crashed.")
    worker = factories.next_worker(session)
    assert factories.claim(session, worker_id=worker) is None

    job = operate.try_now(session, ADMIN, job_id=claimed.job_id)
    operate.try_now(session, ADMIN, job_id=claimed.job_id)

    assert audited(session, job)[1:] == [("job.hurried", "usr_ops", member.tenant_id)], "noted once"
    again = factories.claim(session, worker_id=worker)
    assert again is not None
    assert (again.job_id, again.attempt) == (job.id, 2)


def test_only_a_waiting_job_has_a_pause(session: Session, member: Member) -> None:
    claimed = factories.create_claimed_job(session, member)

    with pytest.raises(JobNotWaiting, match="running"):
        operate.try_now(session, ADMIN, job_id=claimed.job_id)


def test_a_failed_job_is_queued_again_once_at_its_quote(session: Session, member: Member) -> None:
    failed = failed_job(session, member)

    job = operate.queue_again(session, ADMIN, job_id=failed.id)
    same = operate.queue_again(session, ADMIN, job_id=failed.id)

    assert same.id == job.id != failed.id
    copied = ("tenant_id", "dataset_version_id", "recipe", "model_name", "user_id", "key_id")
    quoted = ("quoted_seconds_high", "quoted_low", "quoted_high", "quoted_device_class")
    assert [getattr(job, name) for name in (*copied, *quoted)] == [
        getattr(failed, name) for name in (*copied, *quoted)
    ]
    assert (job.state, failed.state) == (JobState.queued, JobState.failed)
    assert audited(session, job) == [
        ("job.submitted", "system", member.tenant_id),
        ("job.queued_again", "usr_ops", member.tenant_id),
    ]


def test_only_a_failed_job_that_can_be_read_is_queued_again(session: Session, member: Member) -> None:
    waiting = factories.create_job(session, member)
    with pytest.raises(JobNotFailed, match="queued"):
        operate.queue_again(session, ADMIN, job_id=waiting.id)
    operate.fail(session, ADMIN, job_id=waiting.id, sentence="It cannot be read.")
    waiting.recipe = {"task": "from the future"}
    session.add(waiting)

    with pytest.raises(RecipeUnreadable):
        operate.queue_again(session, ADMIN, job_id=waiting.id)


def test_a_waiting_job_fails_with_a_sentence(session: Session, member: Member) -> None:
    job = factories.create_job(session, member)

    operate.fail(session, ADMIN, job_id=job.id, sentence="  The machine for it is gone. ")

    ended = jobs.get(session, member, job_id=job.id)
    assert (ended.state, ended.failure_code, ended.charged) == (JobState.failed, "ended_by_us", 0)
    assert ended.failure == "The machine for it is gone."
    assert audited(session, job)[-1] == ("job.failed_by_hand", "usr_ops", member.tenant_id)


def test_a_running_job_that_is_failed_is_lost_to_its_worker(session: Session, member: Member) -> None:
    claimed = factories.create_claimed_job(session, member)

    operate.fail(session, ADMIN, job_id=claimed.job_id, sentence="It hung.")

    for write in (renew, finish):
        with pytest.raises(LeaseLost):
            write(session, claimed)
    assert queue.ended_by(session, claimed) is None
    attempt = session.exec(select(JobAttempt).where(JobAttempt.id == claimed.token)).one()
    session.refresh(attempt)
    assert (attempt.outcome, attempt.failure_code) == (AttemptOutcome.failed, "ended_by_us")
    assert attempt.ended_at is not None


def renew(session: Session, claimed: Claimed) -> None:
    queue.renew(session, claimed)


def finish(session: Session, claimed: Claimed) -> None:
    queue.finish(session, claimed, model_version_id="mv_1", charged=1)


@pytest.mark.parametrize("sentence", ["", "   ", "x" * 501])
def test_the_customer_is_owed_a_sentence(session: Session, member: Member, sentence: str) -> None:
    job = factories.create_job(session, member)

    with pytest.raises(SentenceMissing):
        operate.fail(session, ADMIN, job_id=job.id, sentence=sentence)

    assert jobs.get(session, member, job_id=job.id).state is JobState.queued


def test_what_is_over_cannot_fail(session: Session, member: Member) -> None:
    job = failed_job(session, member)

    with pytest.raises(JobIsOver):
        operate.fail(session, ADMIN, job_id=job.id, sentence="Twice.")
