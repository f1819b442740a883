"""When a workspace's waiting jobs are expected to start: the values that forecast.py plays forward.

The queue is one for all workspaces, so it is asked as a whole; of the others nothing comes out but a time.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Set
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from services import db, ids
from services.accounts.scope import Member, across, owned
from services.accounts.tables import Tenant
from services.jobs import forecast, queue, workers
from services.jobs.forecast import Arrival, Busy, Line, Standing, Start
from services.jobs.pace import Pace, pace
from services.jobs.statements import KINDS
from services.jobs.tables import AttemptOutcome, Job, JobAttempt, JobState, in_state
from services.training.process.events import Phase

# Runs that tell the pace; enough for a median, few enough to follow a new machine within a day.
_HISTORY = 100
# What is beyond in one line does not change when another line's job starts by much.
_LONGEST_LINE = 2_000
# How far back it is asked who came, as a measure of who will come; no more jobs than these.
_WINDOW = timedelta(hours=1)
_MOST_ARRIVALS = 500
# A workspace's own jobs that get a forecast, the next ones first.
_FORESEEN = 100


def starts(session: Session, member: Member) -> dict[str, Start]:
    """Job id -> expected start of the workspace's waiting jobs; empty where nobody will take them."""
    waiting = owned(Job, member).where(in_state(JobState.queued), col(Job.kind).in_(KINDS))
    in_order = waiting.order_by(col(Job.priority), col(Job.run_at), col(Job.id)).limit(_FORESEEN)
    mine = session.exec(in_order).all()
    if not mine:
        return {}
    now = db.now(session)
    speed = _pace(session)
    standing = _standing(session, member, speed, now)
    expected = forecast.predict(standing, tenant_id=member.tenant_id, jobs=len(mine), seed=member.tenant_id)
    return {job.id: _not_before(job.run_at, start, now) for job, start in zip(mine, expected, strict=False)}


def _not_before(due: datetime, start: Start, now: datetime) -> Start:
    # A job that waits for its next attempt does so at least until then.
    wait = (due - now).total_seconds()
    return Start(likely=max(start.likely, wait), late=max(start.late, wait))


def _pace(session: Session) -> Pace:
    succeeded = across(JobAttempt).where(JobAttempt.outcome == AttemptOutcome.succeeded)
    recent = succeeded.order_by(col(JobAttempt.claimed_at).desc()).limit(_HISTORY).subquery()
    runs = select(
        Job.quoted_device_class, Job.quoted_seconds_high, recent.c.claimed_at, recent.c.ended_at
    ).join(recent, recent.c.job_id == Job.id)
    return pace(
        (device_class, (ended_at - claimed_at).total_seconds() / max(1, quoted))
        for device_class, quoted, claimed_at, ended_at in session.exec(runs)
    )


def _standing(session: Session, member: Member, speed: Pace, now: datetime) -> Standing:
    accepting = {worker.id for worker in workers.alive(session) if worker.drain_requested_at is None}
    running = session.exec(across(Job).where(in_state(JobState.running))).all()
    counts = Counter(job.tenant_id for job in running)
    arrivals = _arrivals(session, member, speed, now)
    return Standing(
        lines=list(_lines(session, speed, counts, {one.tenant_id for one in arrivals}, now)),
        busy=[
            Busy(job.tenant_id, _left(job, speed, now), worker_stays=job.worker_boot_id in accepting)
            for job in running
        ],
        free_workers=len(accepting - {job.worker_boot_id for job in running}),
        spread=speed.spread,
        virtual_time=queue.virtual_time(session),
        arrivals=arrivals,
        window=_WINDOW.total_seconds(),
    )


def _left(job: Job, speed: Pace, now: datetime) -> list[float]:
    # Of all phases only training is most of a run, and knows its own end.
    if job.phase == Phase.training and job.eta_seconds is not None:
        return [job.eta_seconds]
    elapsed = (now - (job.started_at or now)).total_seconds()
    return speed.left(speed.expected(job.quoted_seconds_high, job.quoted_device_class), elapsed)


def _arrivals(session: Session, member: Member, speed: Pace, now: datetime) -> list[Arrival]:
    """What others submitted lately; jobs that the member's own workspace adds start after those it has."""
    lately = across(Job).where(Job.id >= ids.since("job", now - _WINDOW), Job.tenant_id != member.tenant_id)
    newest = lately.order_by(col(Job.id).desc()).limit(_MOST_ARRIVALS)
    return [
        Arrival(
            tenant_id=job.tenant_id,
            ago=(now - job.created_at).total_seconds(),
            expected=speed.expected(job.quoted_seconds_high, job.quoted_device_class),
        )
        for job in session.exec(newest)
    ]


def _lines(
    session: Session, speed: Pace, running: Counter[str], coming: Set[str], now: datetime
) -> Iterator[Line]:
    """Every tenant whose jobs wait or may come, with jobs of its average size."""
    queued = across(Job).where(in_state(JobState.queued), col(Job.kind).in_(KINDS)).subquery()
    counted = select(
        queued.c.tenant_id, queued.c.quoted_device_class, func.count(), func.avg(queued.c.quoted_seconds_high)
    ).group_by(queued.c.tenant_id, queued.c.quoted_device_class)
    waiting: dict[str, list[float]] = defaultdict(list)
    for tenant_id, device_class, jobs, quoted in session.exec(counted):
        waiting[tenant_id] += [speed.expected(float(quoted), device_class)] * min(jobs, _LONGEST_LINE)
    tenants = select(Tenant).where(
        col(Tenant.id).in_(waiting.keys() | coming), col(Tenant.suspended_at).is_(None)
    )
    for tenant in session.exec(tenants):
        last_claim = now - tenant.last_claim_at if tenant.last_claim_at else None
        yield Line(
            tenant_id=tenant.id,
            turn=tenant.next_turn,
            weight=tenant.share_weight,
            limit=tenant.running_job_limit,
            last_claim=last_claim.total_seconds() if last_claim else float("inf"),
            running=running[tenant.id],
            waiting=waiting[tenant.id],
        )
