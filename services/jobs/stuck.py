"""What does not get on by itself, and needs an operator. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.jobs.watch import Floor

# A run that tells nothing for so long is worth a look.
QUIET = timedelta(minutes=10)


class Why(StrEnum):
    """Why a job may never get on by itself."""

    doubted = "doubted"  # its worker has not renewed the lease in time
    quiet = "quiet"  # its run has told nothing for long
    unknown = "unknown"  # no worker of this release knows jobs of its kind
    unserved = "unserved"  # no worker is alive that takes jobs


@dataclass(frozen=True, slots=True)
class Stuck:
    """What does not get on: so many jobs of a workspace, or the one that makes this model, since when."""

    why: Why
    tenant: str
    since: datetime
    jobs: int = 1
    model: str = ""


def stuck(floor: Floor) -> list[Stuck]:
    """What an operator should look at, the longest first."""
    return sorted([*_running(floor), *_waiting(floor)], key=lambda one: one.since)


def _running(floor: Floor) -> Iterator[Stuck]:
    for running in floor.running:
        model = running.job.model_name
        if running.job.lease_doubted_at is not None:
            yield Stuck(Why.doubted, running.tenant, running.renewed_at, model=model)
        elif floor.now - running.told_at > QUIET:
            yield Stuck(Why.quiet, running.tenant, running.told_at, model=model)


def _waiting(floor: Floor) -> Iterator[Stuck]:
    for line in floor.lines:
        known = line.waiting - line.unknown
        if line.unknown:
            yield Stuck(Why.unknown, line.tenant.name, line.due_since, jobs=line.unknown)
        if known and not floor.serving:
            yield Stuck(Why.unserved, line.tenant.name, line.due_since, jobs=known)
