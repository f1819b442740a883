"""The queues that are measured side by side: ours, Procrastinate on Postgres, Huey on SQLite."""

import asyncio
import os
from decimal import Decimal
from typing import Any, Protocol
from uuid import uuid4

import huey
import procrastinate
from procrastinate.jobs import Status

from services import clock
from services.accounts.scope import Member
from services.config import settings
from services.db import engine_for, single, transaction
from services.jobs import queue
from services.jobs import service as jobs
from services.jobs.queue import Claimed
from services.metering import service as metering
from services.metering import usage
from services.migrations.upgrade import upgrade
from services.training.recipe import Recipe, Task
from tests import factories

TENANTS = 8
RECIPE = Recipe(task=Task.text_classification)
QUOTED = jobs.Quoted(seconds_low=10, seconds_high=60, low=10_000, high=60_000, device_class="cpu")


class Queue(Protocol):
    """What is measured of each product."""

    name: str

    def prepare(self) -> None: ...
    def open(self) -> None: ...
    def submit(self, number: int) -> None: ...
    def claim(self) -> Any | None: ...
    def finish(self, claimed: Any) -> None: ...
    def close(self) -> None: ...


class Tuneport:
    """Ours, as the portal and the worker call it."""

    def __init__(self, url: str) -> None:
        self.name = f"Tuneport, {'SQLite' if url.startswith('sqlite') else 'Postgres'}"
        self._url = url
        self._customers: list[tuple[Member, str]] = []
        self._worker_id = ""

    def prepare(self) -> None:
        self._use()
        upgrade()
        with transaction() as session:
            for _ in range(TENANTS):
                tenant = factories.create_tenant(session, running_job_limit=2, open_job_limit=10_000_000)
                member = factories.create_member(session, tenant_id=tenant.id)
                self._customers.append((member, factories.create_version(session, member).id))
            self._worker_id = factories.next_worker(session)
        # The processes to come are forked from this one, and must inherit no connection.
        self.close()

    def open(self) -> None:
        self._use()

    def _use(self) -> None:
        os.environ["TUNEPORT_DATABASE_URL"] = self._url
        settings.cache_clear()

    def customer(self, number: int) -> Member:
        return self._customers[number % TENANTS][0]

    def submit(self, number: int) -> None:
        member, version_id = self._customers[number % TENANTS]
        with transaction() as session:
            jobs.submit(
                session,
                member,
                dataset_version_id=version_id,
                recipe=RECIPE,
                model_name="m",
                quoted=QUOTED,
                key=uuid4().hex,
            )

    def claim(self) -> Claimed | None:
        with single() as connection:
            return queue.take(connection, worker_id=self._worker_id)

    def finish(self, claimed: Claimed) -> None:
        used = usage.training(
            tenant_id=claimed.tenant_id,
            job_id=claimed.job_id,
            device_class="cpu",
            device_seconds=Decimal(1),
            at=clock.now(),
        )
        with transaction() as session:
            metering.record(session, [used])
            queue.finish(session, claimed, model_version_id="mv", charged=1)

    def close(self) -> None:
        engine_for(self._url).dispose()


class Procrastinate:
    """Its own schema, its documented asynchronous connector, the calls that its worker makes."""

    name = "Procrastinate, Postgres"

    def __init__(self, url: str) -> None:
        self._url = url

    def prepare(self) -> None:
        self.open()
        self._wait(self._app.schema_manager.apply_schema_async())
        self.close()
        del self._app, self._loop, self._task, self._worker_id

    def open(self) -> None:
        self._loop = asyncio.new_event_loop()
        connector = procrastinate.PsycopgConnector(conninfo=self._url, min_size=1, max_size=2)
        self._app = procrastinate.App(connector=connector)
        self._task = self._app.task(name="work")(_work)
        self._wait(self._app.open_async())
        self._worker_id: int | None = None

    def _wait(self, answer: Any) -> Any:
        return self._loop.run_until_complete(answer)

    def submit(self, number: int) -> None:
        self._wait(self._task.defer_async(number=number))

    def claim(self) -> Any | None:
        manager = self._app.job_manager
        if self._worker_id is None:
            self._worker_id = self._wait(manager.register_worker())
        return self._wait(manager.fetch_job(queues=None, worker_id=self._worker_id))

    def finish(self, claimed: Any) -> None:
        done = self._app.job_manager.finish_job(claimed, status=Status.SUCCEEDED, delete_job=False)
        self._wait(done)

    def close(self) -> None:
        self._wait(self._app.close_async())
        self._loop.close()


class Huey:
    """As it comes: write-ahead log, and the default durability of SQLite."""

    name = "Huey, SQLite"

    def __init__(self, file: str) -> None:
        self._file = file

    def prepare(self) -> None:
        self.open()
        del self._huey, self._task

    def open(self) -> None:
        self._huey = huey.SqliteHuey("bench", filename=self._file)
        self._task = self._huey.task()(_work)

    def submit(self, number: int) -> None:
        self._task(number)

    def claim(self) -> Any | None:
        return self._huey.dequeue()

    def finish(self, claimed: Any) -> None:
        self._huey.execute(claimed)

    def close(self) -> None:
        self._huey.storage.close()


def _work(number: int) -> int:
    return number
