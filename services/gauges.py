"""What Prometheus may know of the queue: read from the database at every scrape, the same from every api."""

from collections import Counter
from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlmodel import Session, col, func, or_, select

from services import db
from services.accounts.scope import across
from services.billing.tables import Subscription
from services.jobs import workers
from services.jobs.tables import Job, JobState, in_state

# Labels are told also where they are zero: a series that comes and goes cannot be alerted on.
TRIAL, PAYING = "trial", "paying"
DEVICES = ("cpu", "cuda")


class QueueGauges(Collector):
    """Depth and age of the queue by class of tenant, and workers by device."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Ask the database."""
        now = db.now(self._session)
        paying = self._paying()
        waiting, running = {TRIAL: 0.0, PAYING: 0.0}, {TRIAL: 0.0, PAYING: 0.0}
        oldest = {TRIAL: 0.0, PAYING: 0.0}
        is_open = or_(in_state(JobState.queued), in_state(JobState.running))
        jobs = across(Job).where(is_open).subquery()
        grouped = select(jobs.c.tenant_id, jobs.c.state, func.count(), func.min(jobs.c.run_at)).group_by(
            jobs.c.tenant_id, jobs.c.state
        )
        for tenant_id, state, count, due_since in self._session.exec(grouped):
            kind = PAYING if tenant_id in paying else TRIAL
            if state is JobState.running:
                running[kind] += count
            else:
                waiting[kind] += count
                oldest[kind] = max(oldest[kind], (now - due_since).total_seconds())
        alive = Counter(worker.device for worker in workers.alive(self._session))
        by_device = {device: float(alive[device]) for device in DEVICES}
        yield _gauge("tuneport_jobs_waiting", "Jobs in the queue.", "tenant_class", waiting)
        yield _gauge("tuneport_jobs_running", "Jobs that a worker has.", "tenant_class", running)
        yield _gauge(
            "tuneport_oldest_wait_seconds", "How long the longest due job waits.", "tenant_class", oldest
        )
        yield _gauge("tuneport_workers_alive", "Workers heard from in the last minute.", "device", by_device)

    def _paying(self) -> set[str]:
        """Tenants whose use is invoiced."""
        now = db.now(self._session)
        current = across(Subscription).where(
            col(Subscription.trial).is_(False),
            col(Subscription.starts_at) <= now,
            or_(col(Subscription.ends_at).is_(None), col(Subscription.ends_at) > now),
        )
        return {subscription.tenant_id for subscription in self._session.exec(current)}


def text(session: Session) -> bytes:
    """The gauges in Prometheus's text format."""
    registry = CollectorRegistry()
    registry.register(QueueGauges(session))
    return generate_latest(registry)


def _gauge(name: str, help_text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family
