"""A job's way through the queue, in statements written out: building them takes longer than their work.

On Postgres each step is one question; a claim's is a function of the database, which migration 0012 explains.
"""

import re

from sqlalchemy import TextClause, bindparam, text

from services.db import Json, UtcDateTime

# Jobs of other kinds wait, and the operator sees them: a newer release may know what to do.
KINDS = ("fine-tune",)

_RUNNING = "(SELECT count(*) FROM job WHERE job.tenant_id = tenant.id AND job.state = 'running')"
_READY = f"""
    job.state = 'queued' AND job.run_at <= :now AND job.kind IN ({", ".join(f"'{kind}'" for kind in KINDS)})
"""
_CLAIMED = """
    id AS job_id, tenant_id, attempt, dataset_version_id, recipe, model_name, quoted_seconds_high,
    max_runtime_seconds, run_at, started_at AS claimed_at, lease_token AS token
"""


# How SQLAlchemy writes a value's place; Postgres' driver writes %(name)s.
_NAME = re.compile(r":(\w+)")


def _timed(statement: str, *instants: str) -> TextClause:
    return text(statement).bindparams(*(bindparam(name, type_=UtcDateTime()) for name in instants))


# tenant -> its row is ours until the transaction ends; rows that refer to it may still be added.
LOCK = "SELECT FROM tenant WHERE id = %(tenant)s FOR NO KEY UPDATE"
# tenant, version, key -> the workspace, and what a new job would meet in it. Open jobs are counted state by
# state, each by its own small index.
_STANDING = """
    SELECT tenant.name, tenant.suspended_at, tenant.open_job_limit, tenant.max_runtime_seconds,
        tenant.next_turn, {now} AS now,
        (SELECT id FROM job WHERE tenant_id = :tenant AND idempotency_key = :key) AS earlier_id,
        (SELECT count(*) FROM job WHERE tenant_id = :tenant AND state = 'queued')
        + (SELECT count(*) FROM job WHERE tenant_id = :tenant AND state = 'running') AS open_jobs,
        dataset_version.task, dataset.name AS dataset, dataset.deleted_at
    FROM tenant
    LEFT JOIN dataset_version ON dataset_version.tenant_id = tenant.id AND dataset_version.id = :version
    LEFT JOIN dataset ON dataset.tenant_id = tenant.id AND dataset.id = dataset_version.dataset_id
    WHERE tenant.id = :tenant
"""
STANDING = _timed(_STANDING.format(now=":now"), "now").columns(
    suspended_at=UtcDateTime, now=UtcDateTime, deleted_at=UtcDateTime
)
STANDING_AT_ONCE = _NAME.sub(r"%(\1)s", _STANDING.format(now="clock_timestamp() + :moved"))

# worker, token, lease, kinds, share, moved -> the attempt that begins, if there is something to do.
CLAIM = f"""
    SELECT {_CLAIMED}
    FROM claim_job(%(worker)s, %(token)s, %(lease)s, %(kinds)s, %(share)s, %(moved)s)
"""

# The same in steps, for a database that lets one writer in at a time.

# now, worker -> tenant, next turn, last claim, jobs running and their limit, of each tenant with a job to
# start; none for a worker that is to claim no more.
WAITING = _timed(
    f"""
    SELECT tenant.id, tenant.next_turn, tenant.last_claim_at, {_RUNNING} AS running, tenant.running_job_limit
    FROM tenant
    WHERE tenant.suspended_at IS NULL
        AND EXISTS (SELECT 1 FROM job WHERE job.tenant_id = tenant.id AND {_READY})
        AND NOT EXISTS (SELECT 1 FROM worker WHERE worker.id = :worker AND drain_requested_at IS NOT NULL)
    """,
    "now",
).columns(last_claim_at=UtcDateTime)
# tenant, now, token, until, worker -> the tenant's best job set running.
TAKE = _timed(
    f"""
    UPDATE job
    SET state = 'running', attempt = attempt + 1, lease_token = :token, lease_until = :until,
        worker_boot_id = :worker, started_at = :now, phase = NULL, progress = 0, eta_seconds = NULL
    WHERE id = (
        SELECT job.id FROM job WHERE job.tenant_id = :tenant AND {_READY}
        ORDER BY job.priority, job.run_at, job.id LIMIT 1
    )
    RETURNING {_CLAIMED}
    """,
    "now",
    "until",
).columns(recipe=Json, run_at=UtcDateTime, claimed_at=UtcDateTime)
# tenant, now, share -> its turn moved on.
SERVE = _timed(
    """
    UPDATE tenant
    SET last_turn = next_turn, next_turn = next_turn + :share / share_weight, last_claim_at = :now
    WHERE id = :tenant
    """,
    "now",
)
BEGIN_ATTEMPT = _timed(
    """
    INSERT INTO job_attempt (id, tenant_id, job_id, attempt, worker_id, claimed_at)
    VALUES (:token, :tenant, :job, :attempt, :worker, :now)
    """,
    "now",
)

# The end of an attempt that holds its job; a success only where nobody has asked to cancel.
_END = """
    UPDATE job
    SET state = :state, finished_at = {now}, charged = :charged, model_version_id = :model_version_id,
        failure_code = :failure_code, failure = :failure,
        lease_until = NULL, lease_doubted_at = NULL, eta_seconds = NULL
    WHERE id = :job AND state = 'running' AND lease_token = :token
        AND (:state <> 'succeeded' OR cancel_requested_at IS NULL)
"""
_CLOSE = """
    UPDATE job_attempt SET outcome = :state, ended_at = {now}, failure_code = :failure_code WHERE id = :token
"""
# now, and what is set -> the job is over; no row is changed where it is not this attempt's to end.
END = _timed(_END.format(now=":now"), "now")
CLOSE = _timed(_CLOSE.format(now=":now"), "now")
# moved, and what is set -> how many jobs ended: one or none.
END_AT_ONCE = _NAME.sub(
    r"%(\1)s",
    f"""
    WITH ended AS ({_END.format(now="clock_timestamp() + :moved")} RETURNING id),
        closed AS ({_CLOSE.format(now="clock_timestamp() + :moved")} AND EXISTS (SELECT FROM ended))
    SELECT count(*) FROM ended
    """,
)
