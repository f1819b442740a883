"""What this process counts for Prometheus, and the functions that count it.

Names end in their unit, counters in `_total` (which the client adds). What the database knows, such as the
length of the queue, stands in gauges.py.
"""

from prometheus_client import REGISTRY, Counter, Histogram, disable_created_metrics, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# When a counter began is no figure of ours, and would double their number.
disable_created_metrics()  # type: ignore[no-untyped-call]

_WAIT_SECONDS = (1, 5, 15, 30, 60, 120, 300, 900, 1800, 3600, 4 * 3600)
_RUN_SECONDS = (5, 15, 30, 60, 120, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600)
_ANSWER_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

_claims = Counter("tuneport_job_claims", "Jobs taken from the queue by this worker.")
_attempts = Counter("tuneport_job_attempts", "Attempts of this worker that ended, by outcome.", ["outcome"])
_failures = Counter("tuneport_job_failures", "Attempts of this worker that failed, by cause.", ["code"])
_renewals = Counter("tuneport_lease_renewals", "Leases that this worker renewed.")
_losses = Counter("tuneport_lease_losses", "Leases that this worker lost while it worked.")
_wait = Histogram(
    "tuneport_job_wait_seconds",
    "From when a job could start to its claim by this worker.",
    buckets=_WAIT_SECONDS,
)
_run = Histogram(
    "tuneport_job_run_seconds",
    "Run time of this worker’s attempts, by outcome.",
    ["outcome"],
    buckets=_RUN_SECONDS,
)
_predictions = Counter("tuneport_predictions", "Texts that this api answered.")
_answer = Histogram(
    "tuneport_prediction_seconds", "Time to answer one request for predictions.", buckets=_ANSWER_SECONDS
)
_tokens = Counter("tuneport_generated_tokens", "Tokens that chat models of this api wrote.")
_first_token = Histogram(
    "tuneport_first_words_seconds", "Time to the first words of a chat answer.", buckets=_ANSWER_SECONDS
)


def claimed(*, waited: float) -> None:
    """A job was taken, `waited` seconds after it could have started."""
    _claims.inc()
    _wait.observe(waited)


def ended(outcome: str, *, seconds: float, code: str | None = None) -> None:
    """An attempt ended after so many seconds: `outcome` as in AttemptOutcome, with the code of a failure."""
    _attempts.labels(outcome).inc()
    _run.labels(outcome).observe(seconds)
    if code is not None:
        _failures.labels(code).inc()


def renewed() -> None:
    """A lease was renewed."""
    _renewals.inc()


def lease_lost() -> None:
    """A lease was lost."""
    _losses.inc()


def predicted(texts: int, *, seconds: float) -> None:
    """A request for predictions was answered."""
    _predictions.inc(texts)
    _answer.observe(seconds)


def first_words(*, seconds: float) -> None:
    """A chat answer has begun."""
    _first_token.observe(seconds)


def generated(tokens: int) -> None:
    """A chat answer was written."""
    _tokens.inc(tokens)


def text() -> bytes:
    """Everything that this process counts, in Prometheus’s text format."""
    return generate_latest(REGISTRY)
