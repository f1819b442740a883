"""What a process counts."""

import re

from prometheus_client import REGISTRY

from services import metrics


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_claim_is_counted_with_its_wait() -> None:
    claims, waits = value("tuneport_job_claims_total"), value("tuneport_job_wait_seconds_sum")

    metrics.claimed(waited=7.0)

    assert value("tuneport_job_claims_total") == claims + 1
    assert value("tuneport_job_wait_seconds_sum") == waits + 7


def test_a_failed_attempt_is_counted_by_outcome_and_cause() -> None:
    attempts = value("tuneport_job_attempts_total", outcome="failed")
    failures = value("tuneport_job_failures_total", code="nan_loss")

    metrics.ended("failed", seconds=3.0, code="nan_loss")
    metrics.ended("succeeded", seconds=3.0)

    assert value("tuneport_job_attempts_total", outcome="failed") == attempts + 1
    assert value("tuneport_job_failures_total", code="nan_loss") == failures + 1
    assert value("tuneport_job_run_seconds_count", outcome="succeeded") >= 1


def test_leases_and_predictions_are_counted() -> None:
    before = [
        value("tuneport_lease_renewals_total"),
        value("tuneport_lease_losses_total"),
        value("tuneport_predictions_total"),
        value("tuneport_prediction_seconds_count"),
    ]

    metrics.renewed()
    metrics.lease_lost()
    metrics.predicted(40, seconds=0.2)

    after = [
        value("tuneport_lease_renewals_total"),
        value("tuneport_lease_losses_total"),
        value("tuneport_predictions_total"),
        value("tuneport_prediction_seconds_count"),
    ]
    assert [new - old for new, old in zip(after, before, strict=True)] == [1, 1, 40, 1]


def test_names_keep_to_the_conventions() -> None:
    own = [family for family in REGISTRY.collect() if family.name.startswith("tuneport_")]

    assert own
    for family in own:
        assert re.fullmatch(r"[a-z_]+", family.name)
        assert family.documentation.endswith(".")
        if family.type == "histogram":
            assert family.name.endswith("_seconds")
