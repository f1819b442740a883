"""Jobs that are worked on for real: who orders them, who claims them, and an attempt in a thread."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from services import ordering
from services.accounts.scope import Member
from services.billing import service as billing
from services.datasets import files
from services.datasets import service as datasets
from services.datasets.preview import DEFAULT_SEED, inspect
from services.db import reading, transaction
from services.jobs import service as jobs
from services.jobs import workers
from services.jobs.queue import Claimed
from services.jobs.tables import Job
from services.training.recipe import Preset, Recipe, Task, defaults
from services.worker.attempt import Attempt, attempt
from services.worker.lease import Lease
from tests import factories

ROWS = "text,label\n" + "".join(
    f"{text} number {number},{label}\n"
    for number in range(20)
    for text, label in (("where is my parcel", "delivery"), ("i want my money back", "refund"))
)
SQLITE_ONLY = pytest.mark.parametrize("template", ["sqlite"], indirect=True)
PATIENCE_SECONDS = 60
QUICK = Recipe(task=Task.text_classification)
# Goes on until somebody ends it.
LONG = Recipe(
    task=Task.text_classification,
    preset=Preset.custom,
    hyperparameters=defaults(Preset.custom, Task.text_classification).model_copy(
        update={"epochs": 100, "patience": 0}
    ),
)


def create_customer() -> Member:
    """An owner of a workspace on trial; one worker is there."""
    with transaction() as session:
        member = factories.create_member(session)
        billing.grant_trial(session, member)
        workers.register(session, host="test", process=1, device="cpu", device_name="test")
    return member


def order(member: Member, recipe: Recipe = QUICK) -> Job:
    content = ROWS.encode()
    form, _ = inspect(content)
    with files.store(member, filename="rows.csv", content=content) as stored, transaction() as session:
        upload = datasets.upload(session, member, stored=stored)
    with files.freeze(member, upload, form=form, seed=DEFAULT_SEED) as version, transaction() as session:
        version = datasets.create(session, member, name="Rows", version=version)
    with transaction() as session:
        return ordering.order(
            session, member, dataset_version_id=version.id, recipe=recipe, model_name="rows", key="once"
        )


def claim() -> tuple[Claimed, str]:
    with transaction() as session:
        worker_id = factories.next_worker(session)
        claimed = factories.claim(session, worker_id=worker_id)
    assert claimed is not None
    return claimed, worker_id


def job_of(member: Member, claimed: Claimed) -> Job:
    with reading() as session:
        return jobs.get(session, member, job_id=claimed.job_id)


def wait_for(condition, seconds: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@contextmanager
def working(claimed: Claimed, lease: Lease, stop: threading.Event) -> Iterator[list[Attempt]]:
    """The attempt in a thread of its own; its result is in the list afterwards."""
    results: list[Attempt] = []
    thread = threading.Thread(target=lambda: results.append(attempt(claimed, lease, device="cpu", stop=stop)))
    thread.start()
    yield results
    thread.join(PATIENCE_SECONDS)
    assert results
