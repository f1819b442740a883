"""The worker processes that are about."""

from datetime import timedelta

from sqlmodel import Session, col, select, update

from services import db
from services.accounts import audit
from services.accounts.scope import Staff, StaffRole
from services.errors import NotFound
from services.jobs.tables import Worker
from services.training.quoting.speed import Speed, from_json

# A worker not heard from for this long is taken for gone.
SILENCE = timedelta(minutes=1)
# A row that changed at every poll would be most of what an idle database writes.
SEEN_PRECISION = timedelta(seconds=5)


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
    now = db.now(session)
    lately = col(Worker.seen_at) > now - SEEN_PRECISION
    session.exec(update(Worker).where(col(Worker.id) == worker_id, ~lately).values(seen_at=now))


def drain(session: Session, staff: Staff, *, worker_id: str) -> Worker:
    """Have a worker finish what it has and claim no more, until its process is started anew.

    Raises:
        NotFound: there is no such worker.
    """
    staff.require(StaffRole.admin)
    worker = session.get(Worker, worker_id)
    if worker is None:
        raise NotFound("worker")
    if worker.drain_requested_at is None:
        worker.drain_requested_at = db.now(session)
        session.add(worker)
        session.flush()
        audit.record(session, staff, "worker.drained", worker.id)
    return worker


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


def take_over_speed(session: Session, worker_id: str, *, versions: str) -> bool:
    """Take over what an earlier worker on the same host and device has measured; whether there was one."""
    worker = session.get_one(Worker, worker_id)
    alike = select(Worker).where(
        Worker.host == worker.host,
        Worker.device == worker.device,
        Worker.device_name == worker.device_name,
        Worker.versions == versions,
    )
    earlier = session.exec(alike.order_by(col(Worker.started_at).desc()).limit(1)).first()
    if earlier is None or earlier.speed is None:
        return False
    measured(session, worker_id, from_json(earlier.speed), versions=versions)
    return True


def measured(session: Session, worker_id: str, speed: Speed, *, versions: str) -> None:
    """Keep how fast a worker's device is."""
    worker = session.get_one(Worker, worker_id)
    worker.speed, worker.versions = speed.to_json(), versions
    session.add(worker)
    session.flush()


def speeds(session: Session, device_class: str) -> list[Speed]:
    """Of the workers alive with such a device, as far as they have measured it."""
    return [
        from_json(worker.speed)
        for worker in alive(session)
        if worker.device == device_class and worker.speed is not None
    ]


def fastest_device(session: Session) -> str:
    """The best class of device among the workers alive: cuda where there is one, otherwise cpu."""
    return "cuda" if any(worker.device == "cuda" for worker in alive(session)) else "cpu"
