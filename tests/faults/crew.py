"""The test's side of the worker processes, and the world that they work in."""

import json
import os
import random
import shlex
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlmodel import Session, col, func, select

from services import clock, storage
from services.accounts.scope import Member, across
from services.accounts.tables import Tenant
from services.config import settings
from services.datasets.tables import DatasetVersion
from services.db import reading, transaction
from services.jobs import service as jobs
from services.jobs.queue import LEASE
from services.jobs.tables import Job, JobState
from services.registry import service as registry
from services.registry.tables import ModelVersion
from services.training.recipe import Recipe, Task
from tests import factories
from tests.faults import history, recorder
from tests.faults.actors import HASTE
from tests.faults.history import Deed, Diary, Finding
from tests.services.registry.test_service import create_report

LEASE_SECONDS = LEASE.total_seconds() / HASTE
PATIENCE_SECONDS = 60
_ROOT = Path(__file__).resolve().parents[2]


class Crew:
    """Forks, kills and pauses worker processes."""

    def __init__(self) -> None:
        self._book = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.actors"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def start(self, **options: object) -> int:
        """Start a worker; gives its process id."""
        return self._order(options)

    def wait(self, pid: int) -> int:
        """How the worker ended: its exit status, or the negative number of the signal."""
        return self._order({"wait": pid})

    def kill(self, pid: int) -> None:
        """End a worker without a word."""
        os.kill(pid, signal.SIGKILL)
        self.wait(pid)

    def _order(self, order: dict[str, object]) -> int:
        with self._book:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())


class World:
    """Workspaces with jobs in the settings' database, workers on them, and a diary of everybody."""

    def __init__(self, crew: Crew, folder: Path, *, tenants: int = 3, limit: int = 2) -> None:
        self.crew = crew
        self.folder = folder
        self.workers: list[int] = []
        self._numbers = count(1)
        self._submitted: list[tuple[Member, str]] = []
        self._mine = Diary(folder / "customers.diary")
        recorder.install()
        with transaction() as session:
            self.members = [factories.create_member(session) for _ in range(tenants)]
            for member in self.members:
                tenant = session.get_one(Tenant, member.tenant_id)
                tenant.running_job_limit, tenant.open_job_limit = limit, 100_000
                session.add(tenant)
            self._versions = {member: _version(session, member) for member in self.members}

    def start(self, *, run_seconds: float = 0.05, through: str | None = None, **options: object) -> int:
        """Start a worker whose runs take so long, by way of a proxy's address if one is given."""
        environment = {
            "TUNEPORT_HOME": str(settings().home),
            "TUNEPORT_DATABASE_URL": through or settings().database_url,
        }
        pid = self.crew.start(
            environment=environment,
            diary=str(self.folder / f"worker-{next(self._numbers)}.diary"),
            interpreter=self._interpreter(run_seconds),
            **{"offset": clock.offset().total_seconds(), **options},
        )
        self.workers.append(pid)
        return pid

    def kill(self, pid: int) -> None:
        self.workers.remove(pid)
        self.crew.kill(pid)

    def pause(self, pid: int) -> None:
        """Stop a worker in its tracks, and between two transactions: it may sleep for ever."""
        while True:
            os.kill(pid, signal.SIGSTOP)
            if nobody_writes():
                return
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.02)

    def wait(self, pid: int) -> int:
        self.workers.remove(pid)
        return self.crew.wait(pid)

    def close(self) -> None:
        for pid in list(self.workers):
            self.kill(pid)

    def submit(self, member: Member, *, key: str, seed: int = 42) -> str:
        """Submit a job and tell of it; gives its id."""
        with transaction() as session:
            job = jobs.submit(
                session,
                member,
                dataset_version_id=self._versions[member].id,
                recipe=Recipe(task=Task.text_classification, seed=seed),
                model_name="model",
                quoted=jobs.Quoted(
                    seconds_low=1, seconds_high=60, low=1_000, high=60_000, device_class="cpu"
                ),
                key=key,
            )
            number = self._mine.ask(Deed("submitted", job.id, member.tenant_id, key=key))
        self._mine.ack(number)
        self._submitted.append((member, job.id))
        return job.id

    def cancel(self, member: Member, job_id: str) -> bool:
        """Cancel a job and tell of it; whether it was still to be cancelled."""
        try:
            with transaction() as session:
                jobs.cancel(session, member, job_id=job_id)
                number = self._mine.ask(Deed("cancelled", job_id, member.tenant_id))
        except jobs.JobIsOver:
            return False
        self._mine.ack(number)
        return True

    def cancel_any(self, chance: random.Random) -> None:
        """Cancel one of the jobs submitted so far."""
        if self._submitted:
            self.cancel(*chance.choice(self._submitted))

    def drain(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until every job is over."""
        wait_for(lambda: not self.count(JobState.queued, JobState.running), seconds)

    def count(self, *states: JobState) -> int:
        with reading() as session:
            counted = across(Job).where(col(Job.state).in_(states)).subquery()
            return session.exec(select(func.count()).select_from(counted)).one()

    def findings(self) -> list[Finding]:
        """Every promise that was broken, by the diaries, the tables and the files."""
        deeds = history.read(sorted(self.folder.glob("*.diary")))
        return [*history.findings(deeds, recorder.final()), *damaged_models()]

    def _interpreter(self, run_seconds: float) -> str:
        script = self.folder / f"run-{run_seconds}"
        if not script.exists():
            report = self.folder / "report.json"
            report.write_text(create_report().model_dump_json())
            stub = Path(__file__).with_name("stub_run.py")
            parts = (sys.executable, "-S", stub, report, run_seconds)
            script.write_text(f'#!/bin/sh\nexec {shlex.join(map(str, parts))} "$@"\n')
            script.chmod(0o755)
        return str(script)


def damaged_models() -> Iterable[Finding]:
    """Model versions that cannot be fetched whole, or that are made of two runs' files."""
    with reading() as session:
        versions = session.exec(across(ModelVersion)).all()
    for version in versions:
        with TemporaryDirectory() as temporary:
            folder = Path(temporary) / "model"
            try:
                registry.fetch(version, folder)
            except registry.ArtefactDamaged:
                yield Finding("damaged", version.job_id, f"{version.id} cannot be fetched")
            else:
                if len({file.read_bytes() for file in folder.iterdir()}) > 1:
                    yield Finding("damaged", version.job_id, f"{version.id} is made of two runs")


def nobody_writes() -> bool:
    """Is no transaction open that holds up others?"""
    url = make_url(settings().database_url)
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(url.database, timeout=0)) as connection:
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            return True
    with reading() as session:
        open_ones = "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL"
        return session.execute(text(open_ones)).scalar_one() == 0


def wait_for(condition, seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def together(*tasks) -> list[object]:
    """Run tasks in threads of their own, and give their results."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        return [future.result() for future in [pool.submit(task) for task in tasks]]


def _version(session: Session, member: Member) -> DatasetVersion:
    """A data set version whose files are there to be fetched."""
    version = factories.create_version(session, member)
    with TemporaryDirectory() as folder:
        for split in ("train", "validation", "test"):
            (Path(folder) / f"{split}.jsonl").write_text("{}\n")
        version.manifest = storage.put_folder(Path(folder), version.storage_prefix)
    session.add(version)
    return version
