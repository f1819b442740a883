"""Are the guards guarded? Takes them away one by one, in a copy of the sources; a test must then fail.

    python -m tests.faults.mutate [WORD …]

Prints a table, and ends with 1 where nobody noticed. With words, only the mutations that name one of them.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT_SECONDS = 240


@dataclass(frozen=True)
class Mutation:
    """A guard as it stands in a file, what is left without it, and the tests that must then fail."""

    guard: str
    file: str
    stands: str
    left: str
    tests: str
    which: str = ""


MUTATIONS = (
    Mutation(
        "fence: a write names its lease token",
        "services/jobs/queue.py",
        "        col(Job.lease_token) == claimed.token,\n    )\n\n\ndef _change",
        "    )\n\n\ndef _change",
        "test_stale_attempts.py",
        "sqlite and renew",
    ),
    Mutation(
        "fence: what is held is held by this token",
        "services/jobs/queue.py",
        "Job.state == JobState.running, Job.lease_token == claimed.token\n    )\n    job = session",
        "Job.state == JobState.running\n    )\n    job = session",
        "test_stale_attempts.py",
        "sqlite and held",
    ),
    Mutation(
        "cap: the tenant's row is locked before its jobs are counted",
        "services/migrations/versions/0012_a_claim_that_writes_less.py",
        "            LIMIT 1\n            FOR NO KEY UPDATE OF tenant SKIP LOCKED;",
        "            LIMIT 1;",
        "test_claims.py",
        "postgres and limit",
    ),
    Mutation(
        "cap: no more than the limit",
        "services/jobs/fairness.py",
        "if tenant.running < tenant.limit]",
        "if tenant.running <= tenant.limit]",
        "test_one_lease.py",
        "sqlite",
    ),
    Mutation(
        "cap: no more than the limit, in the database's own claim",
        "services/migrations/versions/0012_a_claim_that_writes_less.py",
        "                ) < served.running_job_limit\n",
        "                ) < served.running_job_limit + 1\n",
        "test_claims.py",
        "slow",
    ),
    Mutation(
        "fence: an end names its lease token",
        "services/jobs/statements.py",
        " AND state = 'running' AND lease_token = :token\n",
        " AND state = 'running'\n",
        "test_stale_attempts.py",
        "finish",
    ),
    Mutation(
        "fairness: the earliest turn first, in the database's own claim",
        "services/migrations/versions/0012_a_claim_that_writes_less.py",
        "            ORDER BY tenant.next_turn, tenant",
        "            ORDER BY tenant",
        "test_no_tenant_starves.py",
        "postgres",
    ),
    Mutation(
        "fairness: weights, in the database's own claim",
        "services/migrations/versions/0012_a_claim_that_writes_less.py",
        "next_turn + share / served.share_weight",
        "next_turn + share",
        "test_no_tenant_starves.py",
        "postgres and weight",
    ),
    Mutation(
        "fairness: a tenant's best job first, in the database's own claim",
        "services/migrations/versions/0012_a_claim_that_writes_less.py",
        "ORDER BY job.priority, job.run_at, job.id",
        "ORDER BY job.run_at, job.id",
        "../services/jobs/test_claims.py",
        "postgres",
    ),
    Mutation(
        "attempts: the database's own claim begins one",
        "services/migrations/versions/0012_a_claim_that_writes_less.py",
        "                VALUES (token, served.id, taken.id, taken.attempt, worker, present);",
        "                SELECT token, served.id, taken.id, taken.attempt, worker, present WHERE FALSE;",
        "test_any_order.py",
        "postgres",
    ),
    Mutation(
        "fairness: the earliest turn first",
        "services/jobs/fairness.py",
        "(tenant.next_turn, tenant.last_claim_at or _NEVER, tenant.tenant_id)",
        "tenant.tenant_id",
        "test_no_tenant_starves.py",
        "sqlite",
    ),
    Mutation(
        "fairness: weights",
        "services/jobs/statements.py",
        "next_turn + :share / share_weight",
        "next_turn + :share",
        "test_no_tenant_starves.py",
        "sqlite and weight",
    ),
    Mutation(
        "fairness: who comes starts at the present turn",
        "services/jobs/fairness.py",
        "return max(next_turn, virtual_time)",
        "return next_turn",
        "test_no_tenant_starves.py",
        "sqlite and missed",
    ),
    Mutation(
        "idempotency: the key's earlier job is looked for",
        "services/jobs/service.py",
        "if found.earlier_id is not None:",
        "if False:",
        "test_submitting_twice.py",
        "sqlite",
    ),
    Mutation(
        "leases: doubted once before they are taken",
        "services/jobs/queue.py",
        "        col(Job.lease_doubted_at) <= now - HEARTBEAT,\n",
        "",
        "test_clocks.py",
        "sqlite and ahead",
    ),
    Mutation(
        "leases: one from a clock that jumped back is cut",
        "services/jobs/queue.py",
        "col(Job.lease_until) > now + LEASE)",
        "col(Job.lease_until) > now + 1000 * LEASE)",
        "test_clocks.py",
        "sqlite and for_ever",
    ),
    Mutation(
        "clocks: a job is ready by the database's clock",
        "services/jobs/service.py",
        "        run_at=found.now,\n",
        "",
        "test_clocks.py",
        "submits",
    ),
    Mutation(
        "attempts: a poison job stops",
        "services/jobs/queue.py",
        "    elif job.attempt >= job.max_attempts:\n        job.state,",
        "    elif job.attempt >= 1000:\n        job.state,",
        "test_poison_jobs.py",
        "sqlite",
    ),
    Mutation(
        "cancel: a finish asks for it",
        "services/jobs/statements.py",
        "AND (:state <> 'succeeded' OR cancel_requested_at IS NULL)",
        "",
        "test_cancel_wins.py",
        "sqlite and publishing",
    ),
    Mutation(
        "cancel: a job that is given back ends",
        "services/jobs/queue.py",
        "    if held(session, claimed).cancel_requested_at is not None:\n        end_cancelled",
        "    if False:\n        end_cancelled",
        "test_any_order.py",
        "sqlite",
    ),
    Mutation(
        "recovery: a dead recoverer holds it up shortly",
        "services/jobs/chores.py",
        "now + min(LEASE, every)",
        "now + LEASE",
        "test_recovery_is_bounded.py",
        "sqlite and recoverer",
    ),
    Mutation(
        "states: the database's trigger",
        "services/migrations/versions/0002_a_queue_that_can_be_proved.py",
        "    for statement in _guards(op.get_bind().dialect.name):",
        "    for statement in ():",
        "test_transitions.py",
        "sqlite",
    ),
    Mutation(
        "money: a second try asks whether the first was heard",
        "services/worker/settle.py",
        "        if not published:\n",
        "        if True:\n",
        "test_money_once.py",
        "sqlite and lost",
    ),
    Mutation(
        "money: what was used is metered with the finish",
        "services/worker/settle.py",
        "    metering.record(session, [event])\n    return charged",
        "    return charged",
        "test_money_once.py",
        "sqlite",
    ),
    Mutation(
        "models: the manifest is verified",
        "services/storage.py",
        "if sha256(target) != digest:",
        "if False:",
        "test_models_whole.py",
        "flipped",
    ),
    Mutation(
        "SQLite: who will write says so at the beginning",
        "services/db.py",
        '("BEGIN IMMEDIATE")',
        '("BEGIN")',
        "test_no_locked_database.py",
        "from_the_beginning",
    ),
    Mutation(
        "SQLite: who comes later waits in line",
        "services/line.py",
        "_operate((self._number, 0, 0), (self._number, 1, _SEM_UNDO), patience=patience)",
        "_operate((self._number, 1, _SEM_UNDO), patience=patience)",
        "../services/kernel/test_line.py",
    ),
    Mutation(
        "SQLite: a place in the line dies with its process",
        "services/line.py",
        "(self._number, 1, _SEM_UNDO)",
        "(self._number, 1, 0)",
        "../services/kernel/test_line.py",
        "dies",
    ),
)


def copy_of_sources(folder: Path) -> Path:
    """The sources in a folder of their own."""
    for name in ("services", "tests", "portal", "pyproject.toml"):
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    return folder


def stands(mutation: Mutation, folder: Path) -> bool:
    """Is the guard where the mutation looks for it, once?"""
    return (folder / mutation.file).read_text().count(mutation.stands) == 1


def is_noticed(mutation: Mutation, folder: Path) -> bool:
    """Take the guard away, run its tests, put it back; whether they failed.

    Raises:
        ValueError: the guard is not in its file, so that the mutation is out of date.
    """
    file = folder / mutation.file
    whole = file.read_text()
    if not stands(mutation, folder):
        raise ValueError(f"{mutation.guard}: not once in {mutation.file}")
    file.write_text(whole.replace(mutation.stands, mutation.left))
    try:
        return _fails(mutation, folder)
    finally:
        file.write_text(whole)


def _fails(mutation: Mutation, folder: Path) -> bool:
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    chosen = [f"tests/faults/{mutation.tests}", "-k", mutation.which]
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(
        [*command, *chosen, f"--basetemp={folder / 'tmp'}"],
        cwd=folder,
        env=environment,
        capture_output=True,
        timeout=LIMIT_SECONDS,
    )
    # 0: all passed, 1: some failed; anything else is no answer, such as no test of this name.
    if ran.returncode not in {0, 1}:
        raise ValueError(f"{mutation.guard}: {(ran.stdout + ran.stderr).decode()[-2000:]}")
    return ran.returncode == 1


def main(words: list[str]) -> int:
    """Try the mutations and print what came of each."""
    chosen = [one for one in MUTATIONS if not words or any(word in one.guard for word in words)]
    missed = 0
    with tempfile.TemporaryDirectory(prefix="tuneport-mutations-") as temporary:
        folder = copy_of_sources(Path(temporary))
        write("| guard taken away | tests | noticed |\n| --- | --- | --- |\n")
        for mutation in chosen:
            noticed = is_noticed(mutation, folder)
            missed += not noticed
            write(f"| {mutation.guard} | {mutation.tests} | {'yes' if noticed else '**no**'} |\n")
    return 1 if missed else 0


def write(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
