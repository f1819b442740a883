"""What operators see of queue and workers; reads only."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlmodel import Session, col, func, select

from services import db
from services.accounts.scope import Staff, StaffRole, across
from services.accounts.tables import Tenant
from services.jobs import fairness
from services.jobs.queue import LEASE
from services.jobs.statements import KINDS
from services.jobs.tables import Job, JobEvent, JobState, Worker, in_state
from services.jobs.workers import SILENCE

# Workers that fell silent longer ago are history, not news.
SILENT_NEWS = timedelta(days=1)
WEEK = timedelta(days=7)
_MOST_OF_EACH = 200


@dataclass(frozen=True, slots=True)
class Line:
    """A workspace with jobs in the queue.

    `unknown` of those waiting are of a kind that no worker knows. `due_since` is when the job that waits
    longest could have started. `turn` is the place among those who may start a job now: 1, 2, … or None.
    """

    tenant: Tenant
    waiting: int
    unknown: int
    running: int
    due_since: datetime
    turn: int | None


@dataclass(frozen=True, slots=True)
class Running:
    """A running job, where it runs, when its lease was last renewed and when its run last told something."""

    job: Job
    tenant: str
    host: str
    renewed_at: datetime
    told_at: datetime


@dataclass(frozen=True, slots=True)
class Named:
    """A job, and the name of its workspace."""

    job: Job
    tenant: str


class WorkerState(StrEnum):
    """What a worker is at."""

    idle = "idle"
    busy = "busy"
    draining = "draining"  # finishes what it has and claims no more
    silent = "silent"  # ended without saying so, or cannot reach the database


@dataclass(frozen=True, slots=True)
class Standing:
    """A worker, and the job that it has."""

    worker: Worker
    state: WorkerState
    running: Running | None


@dataclass(frozen=True, slots=True)
class Floor:
    """Queue and workers at one moment; what waits longest and what runs longest come first."""

    now: datetime
    lines: list[Line]
    running: list[Running]
    workers: list[Standing]

    @property
    def serving(self) -> int:
        """Workers that take jobs."""
        return sum(standing.state in {WorkerState.idle, WorkerState.busy} for standing in self.workers)


def floor(session: Session, staff: Staff) -> Floor:
    """Queue and workers as they are."""
    staff.require(StaffRole.admin)
    now = db.now(session)
    workers = _workers(session, now)
    hosts = {worker.id: worker.host for worker in workers}
    running = _running(session, hosts)
    return Floor(
        now=now,
        lines=_lines(session, Counter(one.job.tenant_id for one in running), now),
        running=running,
        workers=[_standing(worker, running, now) for worker in workers],
    )


def within_reach(session: Session, staff: Staff) -> list[Named]:
    """Jobs that something can be done about: running, waiting, or failed in the last week; some of each."""
    staff.require(StaffRole.admin)
    running = across(Job).where(in_state(JobState.running)).order_by(col(Job.started_at))
    waiting = across(Job).where(in_state(JobState.queued)).order_by(col(Job.run_at))
    failed = across(Job).where(Job.state == JobState.failed, col(Job.finished_at) > db.now(session) - WEEK)
    newest_failed = failed.order_by(col(Job.finished_at).desc())
    jobs = [
        job
        for statement in (running, waiting, newest_failed)
        for job in session.exec(statement.limit(_MOST_OF_EACH))
    ]
    names = _names(session, jobs)
    return [Named(job, names[job.tenant_id]) for job in jobs]


def _names(session: Session, jobs: Iterable[Job]) -> dict[str, str]:
    owners = {job.tenant_id for job in jobs}
    return dict(session.exec(select(Tenant.id, Tenant.name).where(col(Tenant.id).in_(owners))).all())


def _lines(session: Session, running: Counter[str], now: datetime) -> list[Line]:
    queued = across(Job).where(in_state(JobState.queued)).subquery()
    counted = select(queued.c.tenant_id, queued.c.kind, func.count(), func.min(queued.c.run_at)).group_by(
        queued.c.tenant_id, queued.c.kind
    )
    kinds: dict[str, list[tuple[str, int, datetime]]] = defaultdict(list)
    for tenant_id, kind, jobs, due_since in session.exec(counted):
        kinds[tenant_id].append((kind, jobs, due_since))
    tenants = session.exec(select(Tenant).where(col(Tenant.id).in_(kinds))).all()
    places = _places(tenants, kinds, running, now)
    lines = [
        Line(
            tenant=tenant,
            waiting=sum(jobs for _, jobs, _ in kinds[tenant.id]),
            unknown=sum(jobs for kind, jobs, _ in kinds[tenant.id] if kind not in KINDS),
            running=running[tenant.id],
            due_since=min(due_since for _, _, due_since in kinds[tenant.id]),
            turn=places.get(tenant.id),
        )
        for tenant in tenants
    ]
    return sorted(lines, key=lambda line: line.due_since)


def _places(
    tenants: Sequence[Tenant],
    kinds: Mapping[str, Sequence[tuple[str, int, datetime]]],
    running: Counter[str],
    now: datetime,
) -> dict[str, int]:
    """Tenant id -> its place in the order in which the next free workers serve tenants."""
    ready = fairness.in_turn(
        fairness.Waiting(
            tenant.id, tenant.next_turn, tenant.last_claim_at, running[tenant.id], tenant.running_job_limit
        )
        for tenant in tenants
        if tenant.suspended_at is None
        and any(kind in KINDS and due_since <= now for kind, _, due_since in kinds[tenant.id])
    )
    return {tenant_id: place for place, tenant_id in enumerate(ready, start=1)}


def _running(session: Session, hosts: Mapping[str, str]) -> list[Running]:
    jobs = across(Job).where(in_state(JobState.running)).order_by(col(Job.started_at))
    running = session.exec(jobs).all()
    events = across(JobEvent).where(col(JobEvent.job_id).in_([job.id for job in running])).subquery()
    told = dict(session.exec(select(events.c.job_id, func.max(events.c.at)).group_by(events.c.job_id)).all())
    names = _names(session, running)
    return [
        Running(
            job=job,
            tenant=names[job.tenant_id],
            host=hosts.get(job.worker_boot_id or "", ""),
            renewed_at=lease_until - LEASE,
            told_at=max(started_at, told.get(job.id, started_at)),
        )
        for job in running
        if (lease_until := job.lease_until) and (started_at := job.started_at)
    ]


def _workers(session: Session, now: datetime) -> list[Worker]:
    lately = select(Worker).where(col(Worker.stopped_at).is_(None), col(Worker.seen_at) > now - SILENT_NEWS)
    return list(session.exec(lately.order_by(Worker.host, col(Worker.id))))


def _standing(worker: Worker, running: Sequence[Running], now: datetime) -> Standing:
    has = next((one for one in running if one.job.worker_boot_id == worker.id), None)
    if now - worker.seen_at >= SILENCE:
        state = WorkerState.silent
    elif worker.drain_requested_at is not None:
        state = WorkerState.draining
    else:
        state = WorkerState.idle if has is None else WorkerState.busy
    return Standing(worker, state, has)
