"""The worker process: claim, supervise, settle, and look after jobs that nobody holds any more."""

import logging
import os
import random
import signal
import socket
import threading
import time

from sqlalchemy.exc import SQLAlchemyError

from services.db import transaction
from services.jobs import queue, workers
from services.jobs.errors import LeaseLost
from services.jobs.queue import Claimed
from services.training import device as devices
from services.worker.attempt import attempt
from services.worker.lease import Lease
from services.worker.settle import settle

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
RECOVER_SECONDS = 5.0
# After a database error: long enough not to fill the log, short enough not to be missed.
TROUBLE_SECONDS = 10.0


def serve() -> None:
    """Work until SIGTERM or SIGINT; a run in progress then goes back to the queue unharmed."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
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
    recovered = 0.0
    while not stop.is_set():
        try:
            if time.monotonic() - recovered > RECOVER_SECONDS:
                recovered = time.monotonic()
                with transaction() as session:
                    workers.seen(session, worker_id)
                    for job_id in queue.recover(session):
                        log.warning("job %s was recovered from a lost worker", job_id)
            with transaction() as session:
                claimed = queue.claim(session, worker_id=worker_id)
            if claimed is None:
                stop.wait(POLL_SECONDS * (0.5 + random.random()))
            else:
                _work(claimed, worker_id=worker_id, device=device.kind, stop=stop)
        except SQLAlchemyError:
            log.exception("the database does not answer; trying again")
            stop.wait(TROUBLE_SECONDS)
    with transaction() as session:
        workers.stopped(session, worker_id)
    log.info("worker %s stopped", worker_id)


def _work(claimed: Claimed, *, worker_id: str, device: str, stop: threading.Event) -> None:
    log.info("job %s attempt %s claimed", claimed.job_id, claimed.attempt)
    try:
        with Lease(claimed, worker_id=worker_id) as lease:
            settle(claimed, attempt(claimed, lease, device=device, stop=stop), device=device)
    except LeaseLost:
        log.warning("job %s attempt %s lost its lease", claimed.job_id, claimed.attempt)
    except SQLAlchemyError:
        raise
    except Exception:
        # A fault of ours must not take the worker along; the job is tried again or named as failed.
        log.exception("job %s attempt %s broke the worker's own code", claimed.job_id, claimed.attempt)
        with transaction() as session:
            queue.retry(session, claimed, code="internal_error", message=_OUR_FAULT)


_OUR_FAULT = "Something of ours broke while this job was worked on. It costs nothing, and we have been told."
