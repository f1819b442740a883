"""Checkpoints kept in the object store, so that a job goes on where it was, on whichever machine."""

import json
import logging
import os
import shutil
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from services import storage
from services.errors import NotFound
from services.jobs.queue import Claimed
from services.training.process.folder import COMPLETE, RunFolder
from services.worker.lease import Lease

log = logging.getLogger(__name__)

# What is lost at most where a machine is; a checkpoint is some hundred megabytes to carry.
KEEP_SECONDS = 60.0


def prefix_of(tenant_id: str, job_id: str) -> str:
    """Where the object store has what is kept of a job's run."""
    return f"{tenant_id}/runs/{job_id}"


def fetch(claimed: Claimed, folder: RunFolder) -> None:
    """Bring what an earlier attempt kept into a new run folder; damaged, it stays where it is."""
    kept = prefix_of(claimed.tenant_id, claimed.job_id)
    try:
        latest = json.loads(storage.get(f"{kept}/latest.json"))
        storage.get_folder(latest["prefix"], folder.path / "kept", latest["manifest"])
    except NotFound:
        return
    except ValueError:
        log.exception("what was kept of %s is damaged; its run begins anew", claimed.job_id)
        return
    for part in (folder.path / "kept").iterdir():
        part.rename(folder.path / part.name)
    (folder.path / "kept").rmdir()


def forget(tenant_id: str, job_id: str) -> None:
    """Delete what is kept of a job that is over."""
    storage.delete(prefix_of(tenant_id, job_id))


class Keeper:
    """Carries a run's complete checkpoints to the object store now and then, from a thread of its own.

    Each goes below the attempt's own prefix; `latest.json`, which names it and each file's sum, comes last.
    """

    def __init__(self, claimed: Claimed, folder: RunFolder, lease: Lease) -> None:
        self._claimed, self._folder, self._lease = claimed, folder, lease
        self._kept = folder.steps_kept()
        self._prefix: str | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"keeper-{claimed.job_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(KEEP_SECONDS):
            self.keep()

    def keep(self) -> None:
        """Store the checkpoints if there is a newer one; where that fails, the next time may do better."""
        steps = self._folder.steps_kept()
        if steps is None or steps == self._kept:
            return
        snapshot = self._folder.path.with_name(f"{self._folder.path.name}.kept")
        try:
            self._link(snapshot)
            self._store(snapshot, steps)
        except Exception:
            # A checkpoint may have made room for the next, or the store is away: the run goes on without.
            log.warning("a checkpoint of %s was not kept", self._claimed.job_id, exc_info=True)
        finally:
            shutil.rmtree(snapshot, ignore_errors=True)

    def _link(self, snapshot: Path) -> None:
        """Hold on to the files of complete checkpoints and to the story so far; links take no room."""
        shutil.rmtree(snapshot, ignore_errors=True)
        complete = [marker.parent for marker in self._folder.checkpoints.glob(f"**/{COMPLETE}")]
        for checkpoint in complete:
            target = snapshot / checkpoint.relative_to(self._folder.path)
            shutil.copytree(checkpoint, target, copy_function=os.link)
        for file in self._folder.checkpoints.glob("*.json"):
            os.link(file, snapshot / file.relative_to(self._folder.path))
        shutil.copy(self._folder.events, snapshot)

    def _store(self, snapshot: Path, steps: int) -> None:
        kept = prefix_of(self._claimed.tenant_id, self._claimed.job_id)
        prefix = f"{kept}/{self._claimed.token}/{steps}"
        manifest = storage.put_folder(snapshot, prefix)
        if self._lease.lost:
            storage.delete(prefix)
            return
        storage.put(f"{kept}/latest.json", json.dumps({"prefix": prefix, "manifest": manifest}).encode())
        if self._prefix is not None:
            storage.delete(self._prefix)
        self._kept, self._prefix = steps, prefix
