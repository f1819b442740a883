"""The worker processes that are about."""

from datetime import timedelta

from sqlmodel import Session, col, select

from services import db
from services.jobs.tables import Worker

# A worker not heard from for this long is taken for gone.
SILENCE = timedelta(minutes=1)


def register(session: Session, *, host: str, process: int, device: str, device_name: str) -> Worker:
    """Make a worker known at the start of its process; `device` is cpu or cuda."""
    now = db.now(session)
    worker = Worker(
        host=host, process=process, device=device, device_name=device_name, started_at=now, seen_at=now
    )
    session.add(worker)
    session.flush()
    return worker


def seen(session: Session, worker_id: str) -> None:
    """Note a sign of life."""
    worker = session.get_one(Worker, worker_id)
    worker.seen_at = db.now(session)
    session.add(worker)
    session.flush()


def stopped(session: Session, worker_id: str) -> None:
    """Note that the process ends by itself."""
    worker = session.get_one(Worker, worker_id)
    worker.stopped_at = db.now(session)
    session.add(worker)
    session.flush()


def alive(session: Session) -> list[Worker]:
    """Workers heard from lately, oldest first."""
    since = db.now(session) - SILENCE
    statement = select(Worker).where(col(Worker.stopped_at).is_(None), Worker.seen_at > since)
    return list(session.exec(statement.order_by(col(Worker.id))))


def fastest_device(session: Session) -> str:
    """The best class of device among the workers alive: cuda where there is one, otherwise cpu."""
    return "cuda" if any(worker.device == "cuda" for worker in alive(session)) else "cpu"
