"""What actors say they did, held against what the database says in the end. The checker is pure.

An actor tells of each deed twice: when it asks for the commit, and when the commit was answered. A deed that
was asked for and never answered may or may not have happened; one that was answered must have.
"""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import count, pairwise
from pathlib import Path

FINAL = {"succeeded", "failed", "cancelled"}
LEGAL = {("queued", "running"), ("queued", "cancelled"), ("queued", "failed"), ("running", "queued")} | {
    ("running", end) for end in FINAL
}


@dataclass(frozen=True)
class Deed:
    """One deed of one actor: `submitted`, `claimed`, `finished`, `failed`, `cancelled` (by a customer), …"""

    what: str
    job_id: str
    tenant_id: str
    # The attempt that did it, and the idempotency key of a submit; empty where there is none.
    token: str = ""
    key: str = ""
    # Was the commit answered?
    acked: bool = False


@dataclass(frozen=True)
class JobRow:
    """A job in the end."""

    id: str
    tenant_id: str
    key: str
    state: str
    attempt: int
    max_attempts: int
    model_version_id: str | None
    failure_code: str | None


@dataclass(frozen=True)
class AttemptRow:
    """An attempt in the end; times are seconds by the database's clock."""

    job_id: str
    token: str
    outcome: str | None
    claimed_at: float
    ended_at: float | None


@dataclass(frozen=True)
class Change:
    """A change of state as a trigger of the database saw it; `token` is whose lease began or ended."""

    job_id: str
    tenant_id: str
    before: str
    after: str
    token: str | None


@dataclass(frozen=True)
class Final:
    """All that the database says in the end."""

    jobs: list[JobRow]
    attempts: list[AttemptRow]
    # In the order in which they happened.
    changes: list[Change]
    # Per job: training that was metered, and model versions.
    metered: Counter[str] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    # Tenant -> how many of its jobs may run at once.
    limits: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """A promise that was broken, and how."""

    what: str
    job_id: str
    why: str


class Diary:
    """Where one actor tells what it does; whole lines, also when it is killed."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._numbers = count(1)

    def ask(self, deed: Deed) -> int:
        """Note a deed before its commit; gives the number to acknowledge."""
        number = next(self._numbers)
        self._write({"number": number, **asdict(deed)})
        return number

    def ack(self, number: int) -> None:
        """Note that the commit was answered."""
        self._write({"number": number})

    def _write(self, line: dict[str, object]) -> None:
        os.write(self._file, json.dumps(line).encode() + b"\n")


def read(diaries: Iterable[Path]) -> list[Deed]:
    """The deeds of all actors, in each actor's order."""
    return [deed for diary in diaries for deed in _deeds(diary)]


def _deeds(diary: Path) -> list[Deed]:
    deeds: dict[int, Deed] = {}
    for line in diary.read_text().splitlines():
        told = json.loads(line)
        number = told.pop("number")
        deeds[number] = Deed(**told) if told else Deed(**asdict(deeds[number]) | {"acked": True})
    return list(deeds.values())


def findings(deeds: Iterable[Deed], final: Final) -> list[Finding]:
    """Every broken promise, once all that was queued has been worked on."""
    told = list(deeds)
    return [
        *_lost(told, final),
        *_unexpected(told, final),
        *_duplicated(final),
        *_illegal(final),
        *_over_cap(final),
        *_overlapping(final),
        *_untrue(told, final),
        *_unpaid(final),
    ]


def _lost(told: list[Deed], final: Final) -> Iterator[Finding]:
    """An acknowledged submit that ended in no final state."""
    states = {job.id: job.state for job in final.jobs}
    for deed in told:
        if deed.what == "submitted" and deed.acked and states.get(deed.job_id) not in FINAL:
            yield Finding("lost", deed.job_id, f"ended as {states.get(deed.job_id)}")


def _unexpected(told: list[Deed], final: Final) -> Iterator[Finding]:
    """A job that nobody asked for."""
    asked = {deed.job_id for deed in told if deed.what == "submitted"}
    for job in final.jobs:
        if job.id not in asked:
            yield Finding("unexpected", job.id, "nobody submitted it")


def _duplicated(final: Final) -> Iterator[Finding]:
    """Two jobs of one key, or two ends of one job."""
    keys = Counter((job.tenant_id, job.key) for job in final.jobs)
    ends = Counter(change.job_id for change in final.changes if change.after in FINAL)
    for job in final.jobs:
        if keys[job.tenant_id, job.key] > 1:
            yield Finding("duplicated", job.id, f"the key {job.key} made several jobs")
        if ends[job.id] > 1:
            yield Finding("duplicated", job.id, f"ended {ends[job.id]} times")


def _illegal(final: Final) -> Iterator[Finding]:
    """A change of state that may not be, or that does not follow from the one before."""
    state: dict[str, str] = defaultdict(lambda: "queued")
    for change in final.changes:
        if change.before != state[change.job_id] or (change.before, change.after) not in LEGAL:
            why = f"{change.before} to {change.after} while {state[change.job_id]}"
            yield Finding("illegal", change.job_id, why)
        state[change.job_id] = change.after
    for job in final.jobs:
        if job.state != state[job.id]:
            yield Finding("illegal", job.id, f"is {job.state}, and was last made {state[job.id]}")


def _over_cap(final: Final) -> Iterator[Finding]:
    """More jobs of a tenant running than its plan allows."""
    running: Counter[str] = Counter()
    for change in final.changes:
        running[change.tenant_id] += (change.after == "running") - (change.before == "running")
        if running[change.tenant_id] > final.limits.get(change.tenant_id, len(final.jobs)):
            yield Finding("over cap", change.job_id, f"{running[change.tenant_id]} jobs of its tenant ran")


def _overlapping(final: Final) -> Iterator[Finding]:
    """Two attempts of a job that held it at one time, or one that never ended."""
    by_job = defaultdict(list)
    for attempt in final.attempts:
        by_job[attempt.job_id].append(attempt)
        if attempt.ended_at is None:
            yield Finding("overlapping", attempt.job_id, f"the attempt {attempt.token} never ended")
    for job_id, attempts in by_job.items():
        for earlier, later in pairwise(sorted(attempts, key=lambda attempt: attempt.claimed_at)):
            if earlier.ended_at is not None and later.claimed_at < earlier.ended_at:
                yield Finding("overlapping", job_id, f"{earlier.token} and {later.token} held it together")


# The state that an acknowledged deed leaves for good.
_LEAVES = {"finished": "succeeded", "failed": "failed", "ended": "cancelled"}


def _untrue(told: list[Deed], final: Final) -> Iterator[Finding]:
    """An answer that was not so: an end by another attempt, or a cancelled job that succeeded."""
    states = {job.id: job.state for job in final.jobs}
    ended_by = {change.job_id: change.token for change in final.changes if change.after in FINAL}
    for deed in told:
        state = states.get(deed.job_id)
        if not deed.acked:
            continue
        if deed.what in _LEAVES and (state, ended_by.get(deed.job_id)) != (_LEAVES[deed.what], deed.token):
            yield Finding("untrue", deed.job_id, f"{deed.what} by {deed.token}, and is {state}")
        if deed.what == "cancelled" and state in {"succeeded", "queued", "running"}:
            yield Finding("untrue", deed.job_id, f"cancelled, and is {state}")


def _unpaid(final: Final) -> Iterator[Finding]:
    """A success without exactly one model version and one charge, or either of them without a success."""
    for job in final.jobs:
        succeeded = job.state == "succeeded"
        if final.versions[job.id] != succeeded or (job.model_version_id is not None) != succeeded:
            yield Finding("unpaid", job.id, f"{job.state} with {final.versions[job.id]} model versions")
        # What was used until the customer cancelled is charged.
        metered = final.metered[job.id]
        if metered > 1 or (job.state != "cancelled" and metered != succeeded):
            yield Finding("unpaid", job.id, f"{job.state} and metered {metered} times")
