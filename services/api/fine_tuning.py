"""Fine-tuning jobs: ordered, watched, stopped, cancelled."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Header, Query
from sqlmodel import Session

from services.accounts import service as accounts
from services.accounts.scope import Member
from services.api.deps import Caller, RequestId
from services.api.job_request import NewJob
from services.api.job_shapes import FineTuningEvent, FineTuningJob, event_id, event_shape, job_shape
from services.api.limits import MAX_PAGE
from services.api.shapes import Listing
from services.api.submission import submit
from services.api.threads import whole_files
from services.datasets import service as datasets
from services.db import reading, transaction
from services.errors import NotFound
from services.jobs import outlook
from services.jobs import service as jobs
from services.jobs.tables import Job, JobState
from services.metering import service as metering
from services.metering.meters import TRAINED_TOKENS
from services.training.recipe import Task, recommended

router = APIRouter(prefix="/v1/fine_tuning/jobs", tags=["fine-tuning"])

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE)]
_A_DAY = timedelta(days=1)


@router.post("", summary="Start a fine-tuning job")
async def create(
    request: NewJob,
    caller: Caller,
    request_id: RequestId,
    idempotency_key: Annotated[
        str | None,
        Header(max_length=255, description="The same key returns the job it made before, for ever."),
    ] = None,
) -> FineTuningJob:
    """Read the file, check it, split it, price it and queue the job; any refusal leaves nothing behind."""
    key = idempotency_key or request_id

    def work() -> FineTuningJob:
        job = submit(caller, request, key=key)
        with reading() as db:
            return _shown(db, caller, [job])[0]

    return await whole_files.run(work)


@router.get("", summary="List fine-tuning jobs")
def list_jobs(caller: Caller, after: str | None = None, limit: Limit = 20) -> Listing[FineTuningJob]:
    """The workspace's jobs, newest first."""
    with reading() as db:
        if after is not None:
            jobs.get(db, caller, job_id=after)
        found = jobs.recent(db, caller, limit=limit + 1, before=after)
        return Listing(data=_shown(db, caller, found[:limit]), has_more=len(found) > limit)


@router.get("/{job_id}", summary="One fine-tuning job")
def retrieve(job_id: str, caller: Caller) -> FineTuningJob:
    """Where a job stands."""
    with reading() as db:
        return _shown(db, caller, [jobs.get(db, caller, job_id=job_id)])[0]


@router.post("/{job_id}/cancel", summary="Cancel a fine-tuning job")
def cancel(job_id: str, caller: Caller) -> FineTuningJob:
    """Stop a job: at once where it waits, within ten seconds where it runs."""
    with transaction() as db:
        job = jobs.cancel(db, caller, job_id=job_id)
        return _shown(db, caller, [job])[0]


@router.post("/{job_id}/stop", summary="Stop a fine-tuning job and keep its model")
def stop(job_id: str, caller: Caller) -> FineTuningJob:
    """End the training now and publish the best model so far; the time used is billed."""
    with transaction() as db:
        job = jobs.stop(db, caller, job_id=job_id)
        return _shown(db, caller, [job])[0]


@router.get("/{job_id}/events", summary="What a job’s run told")
def list_events(
    job_id: str, caller: Caller, after: str | None = None, limit: Limit = 20
) -> Listing[FineTuningEvent]:
    """Phases, steps, losses and scores, newest first."""
    with reading() as db:
        story = jobs.events(db, caller, job_id=job_id)
    story.reverse()
    if after is not None:
        ids = [event_id(event) for event in story]
        if after not in ids:
            raise NotFound("event")
        story = story[ids.index(after) + 1 :]
    return Listing(data=[event_shape(event) for event in story[:limit]], has_more=len(story) > limit)


def _shown(session: Session, member: Member, found: Sequence[Job]) -> list[FineTuningJob]:
    currency = accounts.get_tenant(session, member).currency
    waiting = any(job.state is JobState.queued for job in found)
    starts = outlook.starts(session, member) if waiting else {}
    shown = []
    for job in found:
        version = datasets.get_version(session, member, version_id=job.dataset_version_id)
        shown.append(
            job_shape(
                job,
                # The file may be gone, or the version may have come another way.
                training_file=version.upload_id or version.id,
                currency=currency,
                trained_tokens=_trained_tokens(session, member, job),
                start=starts.get(job.id),
                recommended=recommended(
                    Task(version.task), rows=version.splits["train"], labels=len(version.labels)
                ),
            )
        )
    return shown


def _trained_tokens(session: Session, member: Member, job: Job) -> int | None:
    if job.model_version_id is None or job.finished_at is None:
        return None
    day = job.finished_at.date()  # in UTC; the ledger's days are the workspace's own
    counted = metering.events(
        session,
        member,
        first=day - _A_DAY,
        last=day + _A_DAY,
        meter=TRAINED_TOKENS.name,
        subject=job.id,
        limit=1,
    )
    return int(counted.events[0].quantity) if counted.events else None
