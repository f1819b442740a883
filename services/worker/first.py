"""The Quick model of a job that goes on from it: published as soon as it is whole, while the run works."""

import logging

from sqlalchemy.exc import InterfaceError, OperationalError

from services import storage
from services.db import reading, transaction
from services.errors import ServiceError
from services.jobs import queue
from services.jobs.errors import LeaseLost
from services.jobs.queue import Claimed
from services.registry import service as registry
from services.registry.tables import Stage
from services.training.process.folder import RunFolder
from services.training.reporting.report import Report
from services.worker.trouble import Trouble

log = logging.getLogger(__name__)


class First:
    """Publishes it once for the job, whichever attempt made it; what cannot be published waits or is left."""

    def __init__(self, claimed: Claimed, folder: RunFolder) -> None:
        self._claimed = claimed
        self._folder = folder
        self._done = False
        self._trouble = Trouble(f"about the first model of {claimed.job_id}")

    def look(self) -> None:
        """Publish, where there is something new to publish and the job is still ours."""
        if self._done or not self._folder.first_report.exists():
            return
        try:
            self._publish()
        except (OperationalError, InterfaceError):
            self._trouble.tell()
        except LeaseLost:
            # Lost or cancelled: the run is about to be ended.
            self._done = True
        except ServiceError as refusal:
            # The last model will be refused for the same reason, and the customer told.
            log.warning("the first model of %s was not published: %s", self._claimed.job_id, refusal.code)
            self._done = True
        else:
            self._done = True

    def _publish(self) -> None:
        claimed = self._claimed
        with reading() as session:
            if queue.held(session, claimed).first_version_id is not None:
                return
        artefact = registry.store(
            self._folder.first_model,
            tenant_id=claimed.tenant_id,
            job_id=claimed.job_id,
            attempt_id=first_of(claimed.token),
        )
        report = Report.model_validate_json(self._folder.first_report.read_text("utf-8"))
        try:
            with transaction() as session:
                queue.held(session, claimed)
                version = registry.publish(
                    session,
                    claimed.member,
                    name=claimed.model_name,
                    job_id=claimed.job_id,
                    labels=self._folder.read_spec().labels,
                    report=report,
                    artefact=artefact,
                    stage=Stage.first,
                )
                queue.publish_first(session, claimed, model_version_id=version.id)
        except ServiceError:
            storage.delete(artefact.prefix)
            raise


def first_of(token: str) -> str:
    """Under which name an attempt stores its Quick model, apart from its last one."""
    return f"{token}-first"
