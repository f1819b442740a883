"""What the queue forgets, and what it keeps."""

from sqlmodel import Session

from services.accounts.scope import Member
from services.jobs import queue, retention
from services.jobs import service as jobs
from services.training.process.events import EventKind, Phase, RunEvent
from tests import factories
from tests.conftest import Clock

KEPT_SECONDS = retention.KEEP_EVENTS.total_seconds()


def tell(session: Session, claimed: queue.Claimed) -> None:
    event = RunEvent(kind=EventKind.progress, phase=Phase.training, step=1, steps=2)
    queue.report(session, claimed, [(0, event), (1, event)])


def test_curves_go_long_after_their_job_has_ended(session: Session, member: Member, clock: Clock) -> None:
    ended, running = (factories.create_claimed_job(session, member) for _ in range(2))
    for claimed in (ended, running):
        tell(session, claimed)
    clock.advance(60)
    queue.finish(session, ended, model_version_id="mv", charged=0)

    clock.advance(KEPT_SECONDS - 30)
    assert retention.prune_events(session) == 0
    clock.advance(60)
    assert retention.prune_events(session) == 2
    assert retention.prune_events(session) == 0

    assert jobs.events(session, member, job_id=ended.job_id) == []
    assert len(jobs.events(session, member, job_id=running.job_id)) == 2
    assert jobs.get(session, member, job_id=ended.job_id).model_version_id == "mv"
