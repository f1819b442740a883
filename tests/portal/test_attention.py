"""What operators are told to look at."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from portal.attention import notices
from services.accounts.tables import Tenant
from services.billing.money import Money
from services.jobs.tables import Job, Worker
from services.reports import Failure, Fleet, TenantReport

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def job(*, waited: timedelta = timedelta()) -> Job:
    return Job(run_at=NOW - waited, model_name="cards")


def worker(name: str = "gpu-1") -> Worker:
    return Worker(host=name, process=1, device="cuda", device_name="H200", seen_at=NOW - timedelta(hours=1))


def report(name: str, credit: int | None) -> TenantReport:
    zero = Money.zero("EUR")
    return TenantReport(
        tenant=Tenant(name=name),
        predictions=Decimal(0),
        training_seconds=Decimal(0),
        spend=zero,
        earned=zero,
        credit=None if credit is None else Money(credit, "EUR"),
        waiting=0,
        running=0,
        last_use=None,
    )


def sentences(
    fleet: Fleet, failed: list[Failure] | None = None, rows: list[TenantReport] | None = None
) -> list[str]:
    return [notice.sentence for notice in notices(fleet, failed or [], rows or [], NOW)]


def test_nothing_is_said_when_all_is_well() -> None:
    assert (
        sentences(Fleet([job()], [job()], [worker()], []), rows=[report("Acme", 1), report("Borealis", None)])
        == []
    )


def test_a_queue_without_workers_comes_first() -> None:
    first, second = notices(Fleet([job(), job()], [], [], []), [Failure(job(), "Acme")], [], NOW)

    assert first.sentence.startswith("No worker is alive and 2 jobs wait.")
    assert (first.urgency, second.urgency) == ("now", "today")


def test_a_long_wait_is_told_though_workers_are_alive() -> None:
    [sentence] = sentences(Fleet([job(waited=timedelta(minutes=12))], [], [worker()], []))

    assert "waited for 12 min" in sentence


def test_a_worker_that_fell_silent_is_named() -> None:
    [sentence] = sentences(Fleet([], [], [worker()], [worker("cpu-3")]))

    assert "cpu-3" in sentence
    assert "1 h ago" in sentence


def test_failures_and_spent_trials_name_their_workspaces() -> None:
    failed = [Failure(job(), name) for name in ("Acme", "Acme", "Borealis", "Clinic", "Dune")]

    of_failures, of_trials = sentences(Fleet([], [], [worker()], []), failed, [report("Acme", 0)])

    assert of_failures == "5 jobs failed in the last 24 hours, in Acme, Borealis, Clinic and 1 more."
    assert "spent in Acme" in of_trials
