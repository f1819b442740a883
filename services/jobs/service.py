"""What a customer may ask of jobs: submit, look, stop, cancel. The worker's half is queue.py."""

from dataclasses import dataclass

from sqlmodel import Session, col, func, or_, select, update
from sqlmodel.sql.expression import SelectOfScalar

from services import db
from services.accounts import audit
from services.accounts.errors import WorkspaceSuspended
from services.accounts.scope import Member, Role, find, owned
from services.accounts.tables import Tenant
from services.datasets import service as datasets
from services.datasets.errors import DatasetDeleted
from services.errors import NotFound
from services.jobs import fairness, queue, submitting
from services.jobs.errors import JobIsOver, JobNotRunning, JobQuotaReached, KeyReused, TaskMismatch
from services.jobs.tables import Job, JobEvent, JobState, in_state
from services.training.recipe import Recipe


@dataclass(frozen=True)
class Quoted:
    """What the customer was told before the start: seconds, and micro-units of the tenant's currency."""

    seconds_low: int
    seconds_high: int
    low: int
    high: int
    # cpu or cuda: the class of device whose price this is.
    device_class: str


def submit(
    session: Session,
    member: Member,
    *,
    dataset_version_id: str,
    recipe: Recipe,
    model_name: str,
    quoted: Quoted,
    key: str,
) -> Job:
    """Queue a fine-tuning job; the same idempotency key returns the job it made before.

    Callers go through `ordering.order`, which estimates, prices and checks the credit first.

    Raises:
        WorkspaceSuspended: nothing may be started in it.
        NotFound: no such data set version in this workspace.
        DatasetDeleted: its data is gone.
        TaskMismatch: the recipe is for another task than the data.
        JobQuotaReached: the tenant already has as many open jobs as its plan allows.
        KeyReused: the key made a job from another request.
    """
    member.require(Role.editor)
    found = submitting.standing(session, member, version_id=dataset_version_id, key=key)
    if found.suspended_at is not None:
        raise WorkspaceSuspended(found.name)
    if found.earlier_id is not None:
        earlier = get(session, member, job_id=found.earlier_id)
        if earlier.dataset_version_id != dataset_version_id or earlier.model_name != model_name:
            raise KeyReused
        return earlier
    if found.task is None:
        raise NotFound("data set version")
    if found.deleted_at is not None:
        raise DatasetDeleted(found.dataset or "")
    if found.task != recipe.task:
        raise TaskMismatch(recipe.task, found.task)
    if found.open_jobs >= found.open_job_limit:
        raise JobQuotaReached(found.open_job_limit)
    if not found.open_jobs:
        turn = fairness.arrival(found.next_turn, queue.virtual_time(session))
        session.exec(update(Tenant).where(col(Tenant.id) == member.tenant_id).values(next_turn=turn))

    job = Job(
        tenant_id=member.tenant_id,
        dataset_version_id=dataset_version_id,
        recipe=recipe.model_dump(mode="json"),
        model_name=model_name,
        run_at=found.now,
        max_runtime_seconds=found.max_runtime_seconds,
        quoted_seconds_low=quoted.seconds_low,
        quoted_seconds_high=quoted.seconds_high,
        quoted_low=quoted.low,
        quoted_high=quoted.high,
        quoted_device_class=quoted.device_class,
        idempotency_key=key,
        user_id=member.user_id,
        key_id=member.key_id,
    )
    db.insert(session, job)
    audit.record(session, member, "job.submitted", job.id, model=model_name, preset=recipe.preset)
    return job


def get(session: Session, member: Member, *, job_id: str) -> Job:
    """One job.

    Raises:
        NotFound: no such job in this workspace.
    """
    return find(session, member, Job, job_id, "job")


def by_key(session: Session, member: Member, key: str) -> Job | None:
    """The job that this idempotency key made, if any."""
    return session.exec(owned(Job, member).where(Job.idempotency_key == key)).one_or_none()


def recent(session: Session, member: Member, *, limit: int = 20, before: str | None = None) -> list[Job]:
    """Jobs, newest first; `before` is the id of the last one seen."""
    statement = owned(Job, member)
    if before is not None:
        statement = statement.where(Job.id < before)
    return list(session.exec(statement.order_by(col(Job.id).desc()).limit(limit)))


def open_jobs(session: Session, member: Member) -> list[Job]:
    """Jobs that are queued or running."""
    return list(session.exec(_open(member)))


def count_open(session: Session, member: Member) -> int:
    """How many jobs are queued or running."""
    return session.exec(select(func.count()).select_from(_open(member).subquery())).one()


def _open(member: Member) -> SelectOfScalar[Job]:
    # Each state written out, so that its own small index serves: a workspace's past may be long.
    return owned(Job, member).where(or_(in_state(JobState.queued), in_state(JobState.running)))


def on_data(session: Session, member: Member, *, dataset_id: str) -> list[Job]:
    """All jobs that were submitted with any version of a data set.

    Raises:
        NotFound: no such data set in this workspace.
    """
    known = [version.id for version in datasets.versions(session, member, dataset_id=dataset_id)]
    return list(session.exec(owned(Job, member).where(col(Job.dataset_version_id).in_(known))))


def events(session: Session, member: Member, *, job_id: str, after: int = -1) -> list[JobEvent]:
    """What the job's run told after line `after` of its story, in order.

    Raises:
        NotFound: no such job in this workspace.
    """
    get(session, member, job_id=job_id)
    statement = owned(JobEvent, member).where(JobEvent.job_id == job_id, JobEvent.position > after)
    return list(session.exec(statement.order_by(col(JobEvent.position))))


def queue_position(session: Session, member: Member, *, job_id: str) -> int | None:
    """How many of the workspace's own jobs start before this one, or None when it does not wait.

    Raises:
        NotFound: no such job in this workspace.
    """
    job = get(session, member, job_id=job_id)
    if job.state is not JobState.queued:
        return None
    ahead = owned(Job, member).where(
        Job.state == JobState.queued,
        (Job.priority < job.priority)
        | ((Job.priority == job.priority) & (Job.run_at < job.run_at))
        | ((Job.priority == job.priority) & (Job.run_at == job.run_at) & (Job.id < job.id)),
    )
    return session.exec(select(func.count()).select_from(ahead.subquery())).one()


def cancel(session: Session, member: Member, *, job_id: str) -> Job:
    """Stop a job: at once where it waits, within ten seconds where it runs. Asking twice is fine.

    Raises:
        NotFound: no such job in this workspace.
        JobIsOver: it has succeeded or failed already.
    """
    job = _locked(session, member, job_id)
    if job.state in {JobState.succeeded, JobState.failed}:
        raise JobIsOver(job.state)
    if job.cancel_requested_at is None:
        now = db.now(session)
        job.cancel_requested_at = now
        if job.state is JobState.queued:
            job.state, job.finished_at = JobState.cancelled, now
        session.add(job)
        session.flush()
        audit.record(session, member, "job.cancelled", job.id)
    return job


def stop(session: Session, member: Member, *, job_id: str) -> Job:
    """Have a running job end its training now and publish the best model so far. Asking twice is fine.

    Raises:
        NotFound: no such job in this workspace.
        JobNotRunning: it still waits, so that there is nothing to keep.
        JobIsOver: it has ended already.
    """
    job = _locked(session, member, job_id)
    if job.state is JobState.queued:
        raise JobNotRunning
    if job.state is not JobState.running or job.cancel_requested_at is not None:
        raise JobIsOver(job.state if job.state.is_final else JobState.cancelled)
    if job.stop_requested_at is None:
        job.stop_requested_at = db.now(session)
        session.add(job)
        session.flush()
        audit.record(session, member, "job.stopped", job.id)
    return job


def _locked(session: Session, member: Member, job_id: str) -> Job:
    member.require(Role.editor)
    statement = owned(Job, member).where(Job.id == job_id).with_for_update()
    job = session.exec(statement.execution_options(populate_existing=True)).one_or_none()
    if job is None:
        raise NotFound("job")
    return job
