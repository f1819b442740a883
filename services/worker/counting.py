"""What attempts tell Prometheus: read back from what was committed, so that no figure knows better."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy.exc import SQLAlchemyError

from services import metrics
from services.db import reading
from services.jobs import history
from services.jobs.queue import Claimed
from services.jobs.tables import AttemptOutcome


@contextmanager
def counted(claimed: Claimed) -> Iterator[None]:
    """Count a claim, and how the attempt ended when the block is over.

    A database that does not answer costs a count, never the job.
    """
    metrics.claimed(waited=(claimed.claimed_at - claimed.run_at).total_seconds())
    yield
    with suppress(SQLAlchemyError):
        _count_end(claimed)


def _count_end(claimed: Claimed) -> None:
    with reading() as session:
        attempt = history.attempt(session, claimed.token)
    if attempt.outcome is None or attempt.outcome is AttemptOutcome.lost:
        metrics.lease_lost()
    elif attempt.ended_at is not None:
        seconds = (attempt.ended_at - attempt.claimed_at).total_seconds()
        metrics.ended(attempt.outcome, seconds=seconds, code=attempt.failure_code)
