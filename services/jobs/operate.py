"""What operators may do to single jobs by hand; each deed is audited with who did it."""

from pydantic import ValidationError
from sqlmodel import Session, col, update

from services import db
from services.accounts import audit
from services.accounts.scope import Member, Role, Staff, StaffRole, across
from services.errors import Conflict, Invalid, NotFound
from services.jobs import service as jobs
from services.jobs.errors import JobIsOver, RecipeUnreadable
from services.jobs.service import Quoted
from services.jobs.tables import AttemptOutcome, Job, JobAttempt, JobState
from services.training.recipe import Recipe

ENDED_BY_US = "ended_by_us"
LONGEST_SENTENCE = 500


class JobNotWaiting(Conflict):
    """Only a job that waits can be made to wait no longer."""

    code = "job_not_waiting"

    def __init__(self, state: str) -> None:
        super().__init__(f"This job is {state}, so there is no wait to cut short. Load the page again.")
        self.state = state


class JobNotFailed(Conflict):
    """Only a failed job is queued again."""

    code = "job_not_failed"

    def __init__(self, state: str) -> None:
        super().__init__(f"This job is {state}. Only a failed one can be queued again.")
        self.state = state


class SentenceMissing(Invalid):
    """The customer is not told why, or at too great length."""

    code = "sentence_missing"

    def __init__(self) -> None:
        super().__init__(
            f"Say why in 1 to {LONGEST_SENTENCE} characters: the customer reads it on the job’s page."
        )


def try_now(session: Session, staff: Staff, *, job_id: str) -> Job:
    """Cut the wait of a job short that would be tried again later. Asking twice is fine.

    Raises:
        NotFound: there is no such job.
        JobNotWaiting: it is not queued.
    """
    job = _locked(session, staff, job_id)
    if job.state is not JobState.queued:
        raise JobNotWaiting(job.state)
    now = db.now(session)
    if job.run_at > now:
        job.run_at = now
        session.add(job)
        session.flush()
        audit.record(session, staff, "job.hurried", job.id, tenant_id=job.tenant_id, model=job.model_name)
    return job


def queue_again(session: Session, staff: Staff, *, job_id: str) -> Job:
    """Queue a failed job once more, as a new one of the same data, recipe and quote. Asking twice is once.

    The customer agreed to the quote and paid nothing for the failure, so the quote stands. The longest run
    time is the one that the workspace has now.

    Raises:
        NotFound: there is no such job.
        JobNotFailed: it has another state.
        RecipeUnreadable: this release knows no such recipe.
        WorkspaceSuspended, JobQuotaReached: as `service.submit` says.
    """
    failed = _locked(session, staff, job_id)
    if failed.state is not JobState.failed:
        raise JobNotFailed(failed.state)
    member = Member(tenant_id=failed.tenant_id, role=Role.owner)
    key = f"again-{failed.id}"
    if earlier := jobs.by_key(session, member, key):
        return earlier
    job = jobs.submit(
        session,
        member,
        dataset_version_id=failed.dataset_version_id,
        recipe=_recipe(failed),
        model_name=failed.model_name,
        quoted=Quoted(
            seconds_low=failed.quoted_seconds_low,
            seconds_high=failed.quoted_seconds_high,
            low=failed.quoted_low,
            high=failed.quoted_high,
            device_class=failed.quoted_device_class,
        ),
        key=key,
    )
    # It is still the work of whoever asked first, in their usage too.
    job.user_id, job.key_id = failed.user_id, failed.key_id
    session.add(job)
    audit.record(session, staff, "job.queued_again", job.id, tenant_id=job.tenant_id, failed=failed.id)
    return job


def fail(session: Session, staff: Staff, *, job_id: str, sentence: str) -> Job:
    """End a job that waits or runs, with a sentence for the customer; nothing is billed.

    Its worker loses the lease and kills the run at its next sign of life.

    Raises:
        NotFound: there is no such job.
        JobIsOver: it has ended already.
        SentenceMissing: nothing for the customer to read, or too much.
    """
    sentence = sentence.strip()
    if not 1 <= len(sentence) <= LONGEST_SENTENCE:
        raise SentenceMissing
    job = _locked(session, staff, job_id)
    if job.state.is_final:
        raise JobIsOver(job.state)
    now = db.now(session)
    attempts = update(JobAttempt).where(col(JobAttempt.job_id) == job.id, col(JobAttempt.ended_at).is_(None))
    session.exec(attempts.values(outcome=AttemptOutcome.failed, ended_at=now, failure_code=ENDED_BY_US))
    job.state, job.finished_at, job.charged = JobState.failed, now, 0
    job.failure_code, job.failure = ENDED_BY_US, sentence
    # Nobody's attempt ended it, so nobody's token proves that.
    job.lease_token = job.lease_until = job.lease_doubted_at = job.eta_seconds = None
    session.add(job)
    session.flush()
    audit.record(session, staff, "job.failed_by_hand", job.id, tenant_id=job.tenant_id, model=job.model_name)
    return job


def _locked(session: Session, staff: Staff, job_id: str) -> Job:
    staff.require(StaffRole.admin)
    statement = across(Job).where(Job.id == job_id).with_for_update()
    job = session.exec(statement.execution_options(populate_existing=True)).one_or_none()
    if job is None:
        raise NotFound("job")
    return job


def _recipe(job: Job) -> Recipe:
    try:
        return Recipe.model_validate(job.recipe)
    except ValidationError:
        raise RecipeUnreadable from None
