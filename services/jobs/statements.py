"""The statements of a claim, built once: building one takes longer than the database takes to answer it."""

from sqlalchemy import ScalarSelect, bindparam, func, insert, select, update
from sqlmodel import SQLModel

from services.jobs.tables import Job, JobState, in_state

# Jobs of other kinds wait, and the operator sees them: a newer release may know what to do.
KINDS = ("fine-tune",)

_tenant = SQLModel.metadata.tables["tenant"].c
_job = SQLModel.metadata.tables[str(Job.__tablename__)].c

_TENANT = bindparam("tenant", type_=_tenant.id.type)
_NOW = bindparam("now", type_=_job.run_at.type)
_READY = (in_state(JobState.queued), _job.run_at <= _NOW, _job.kind.in_(KINDS))


def _running(tenant_id: object) -> ScalarSelect[int]:
    running = select(func.count()).where(_job.tenant_id == tenant_id, in_state(JobState.running))
    return running.correlate(_tenant.id.table).scalar_subquery()


# now -> tenant, next turn, last claim, jobs running and their limit, of each tenant with a job to start.
WAITING = select(
    _tenant.id, _tenant.next_turn, _tenant.last_claim_at, _running(_tenant.id), _tenant.running_job_limit
).where(select(_job.id).where(_job.tenant_id == _tenant.id, *_READY).exists(), _tenant.suspended_at.is_(None))

# tenant -> its limit and weight, with its row locked; nothing where another claim holds it.
LOCK = (
    select(_tenant.running_job_limit, _tenant.share_weight)
    .where(_tenant.id == _TENANT, _tenant.suspended_at.is_(None))
    .with_for_update(skip_locked=True, key_share=True)
)

_BEST = (
    select(_job.id)
    .where(_job.tenant_id == _TENANT, *_READY)
    .order_by(_job.priority, _job.run_at, _job.id)
    .limit(1)
    # Passes over a job that its customer is just cancelling.
    .with_for_update(skip_locked=True)
    .scalar_subquery()
)
# tenant, now, limit, token, until, worker -> the tenant's best job set running, if it may run one more.
TAKE = (
    update(_job.id.table)
    .where(_job.id == _BEST, _running(_TENANT) < bindparam("limit"))
    .values(
        state=JobState.running,
        attempt=_job.attempt + 1,
        lease_token=bindparam("token"),
        lease_until=bindparam("until"),
        worker_boot_id=bindparam("worker"),
        started_at=_NOW,
        phase=None,
        progress=0.0,
        eta_seconds=None,
    )
    .returning(
        _job.id.label("job_id"),
        _job.attempt,
        _job.dataset_version_id,
        _job.recipe,
        _job.model_name,
        _job.quoted_seconds_high,
        _job.max_runtime_seconds,
        _job.run_at,
    )
)

# tenant, now, stride -> its turn moved on.
SERVE = (
    update(_tenant.id.table)
    .where(_tenant.id == _TENANT)
    .values(
        last_turn=_tenant.next_turn, next_turn=_tenant.next_turn + bindparam("stride"), last_claim_at=_NOW
    )
)

BEGIN_ATTEMPT = insert(SQLModel.metadata.tables["job_attempt"])
