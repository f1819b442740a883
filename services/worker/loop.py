"""The worker process: claim, supervise, settle; and chores beside."""

import logging
import os
import random
import signal
import socket
import threading
import time

from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError

from services import scraping
from services.config import settings
from services.db import single, transaction
from services.jobs import queue, workers
from services.jobs.errors import LeaseLost
from services.jobs.queue import Claimed
from services.training.quoting import device as devices
from services.worker import chores
from services.worker.attempt import Attempt, attempt
from services.worker.counting import counted
from services.worker.lease import Lease
from services.worker.measurement import Measurement
from services.worker.settle import settle
from services.worker.trouble import Trouble

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0


def serve() -> None:
    """Work until SIGTERM or SIGINT; a run in progress then goes back to the queue unharmed."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    if port := settings().worker_metrics_port:
        scraping.serve(port)
    run(stop)


def run(stop: threading.Event) -> None:
    """Work until `stop` is set."""
    device = devices.find()
    with transaction() as session:
        worker_id = workers.register(
            session,
            host=socket.gethostname(),
            process=os.getpid(),
            device=device.kind,
            device_name=device.name,
        ).id
    log.info("worker %s ready on %s (%s)", worker_id, device.kind, device.name)
    # Beside the jobs, so that a worker that is busy for hours still sees that another has died.
    beside = threading.Thread(target=chores.run, args=(stop,), name="chores", daemon=True)
    beside.start()
    trouble, measurement = Trouble("the worker"), Measurement(worker_id)
    heard_at = time.monotonic()
    while not stop.is_set():
        try:
            if time.monotonic() - heard_at > workers.SEEN_PRECISION.total_seconds():
                with transaction() as session:
                    workers.seen(session, worker_id)
                heard_at = time.monotonic()
            with single() as connection:
                claimed = queue.take(connection, worker_id=worker_id)
            if claimed is None:
                measurement.go_on()
                stop.wait(POLL_SECONDS * (0.5 + random.random()))
            else:
                measurement.give_way()
                with counted(claimed):
                    _work(claimed, worker_id=worker_id, device=device.kind, stop=stop)
        except SQLAlchemyError:
            trouble.wait(stop)
        else:
            trouble.over()
    measurement.give_way()
    beside.join()
    with transaction() as session:
        workers.stopped(session, worker_id)
    log.info("worker %s stopped", worker_id)


def _work(claimed: Claimed, *, worker_id: str, device: str, stop: threading.Event) -> None:
    log.info("job %s attempt %s claimed", claimed.job_id, claimed.attempt)
    try:
        with Lease(claimed, worker_id=worker_id) as lease:
            _settle(claimed, attempt(claimed, lease, device=device, stop=stop), lease, device)
    except LeaseLost:
        log.warning("job %s attempt %s lost its lease", claimed.job_id, claimed.attempt)
    except SQLAlchemyError:
        raise
    except Exception:
        # A fault of ours must not take the worker along; the job is tried again or named as failed.
        log.exception("job %s attempt %s broke the worker's own code", claimed.job_id, claimed.attempt)
        with transaction() as session:
            queue.retry(session, claimed, code="internal_error", message=_OUR_FAULT)


def _settle(claimed: Claimed, came: Attempt, lease: Lease, device: str) -> None:
    """Settle, again and again where the database is away, until it surely was or the lease is lost."""
    trouble = Trouble(f"about the end of {claimed.job_id}")
    while True:
        try:
            return settle(claimed, came, device=device)
        except (OperationalError, InterfaceError):
            if lease.lost:
                raise
            trouble.tell()
            time.sleep(POLL_SECONDS)


_OUR_FAULT = "Something of ours broke while this job was worked on. It costs nothing, and we have been told."
