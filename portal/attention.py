"""What our operators should look at, the most urgent first. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from portal import format as words
from services.reports import Failure, Fleet, TenantReport

# A job that waits longer than this is worth a look, even while workers are busy.
LONG_WAIT = timedelta(minutes=10)


@dataclass(frozen=True)
class Notice:
    """One thing to look at: a sentence with what to do, and how urgent it is."""

    urgency: Literal["now", "today"]
    sentence: str


def notices(fleet: Fleet, failed: list[Failure], reports: list[TenantReport], now: datetime) -> list[Notice]:
    """Everything that needs somebody, urgent things first; empty when all is well."""
    found: list[Notice] = []
    wait = fleet.longest_wait(now)
    if fleet.waiting and not fleet.alive:
        jobs = words.count(len(fleet.waiting), "job waits", "jobs wait")
        found.append(Notice("now", f"No worker is alive and {jobs}. Start a worker."))
    elif wait > LONG_WAIT:
        waited = words.duration(wait.total_seconds())
        found.append(
            Notice("now", f"A job has waited for {waited}. Add a worker, or see what the others do.")
        )
    for worker in fleet.silent:
        found.append(
            Notice(
                "now",
                f"Worker {worker.host} ({worker.device_name}) fell silent {words.ago(worker.seen_at, now)} "
                "without saying goodbye. Its jobs go to others; see whether the machine is well.",
            )
        )
    if failed:
        tenants = sorted({failure.tenant for failure in failed})
        jobs = words.count(len(failed), "job")
        found.append(Notice("today", f"{jobs} failed in the last 24 hours, in {_listed(tenants)}."))
    spent = [
        report.tenant.name for report in reports if report.credit is not None and report.credit.micros <= 0
    ]
    if spent:
        found.append(
            Notice("today", f"The trial credit is spent in {_listed(spent)}. Ask whether they stay.")
        )
    return found


def _listed(names: list[str]) -> str:
    shown = names[:3] + ([f"{len(names) - 3} more"] if len(names) > 3 else [])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
