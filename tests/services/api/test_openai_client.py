"""The public `openai` client does the whole job: a file, a job by a real worker, a model, a prediction."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import openai
import pytest
from openai import OpenAI
from openai.types.fine_tuning import FineTuningJob

from services.accounts import keys
from services.accounts.scope import Member
from services.api.app import app
from services.billing import service as billing
from services.config import settings
from services.db import transaction
from services.inference import client as portals_client
from services.migrations.upgrade import upgrade
from services.worker import loop
from tests import factories
from tests.servers import serving
from tests.services.world import CSV

SECONDS_TO_TRAIN = 120


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving(app) as url:
        yield url


@pytest.fixture
def member() -> Member:
    upgrade()
    with transaction() as db:
        member = factories.create_member(db)
        billing.grant_trial(db, member)
    return member


@pytest.fixture
def client(address: str, member: Member) -> Iterator[OpenAI]:
    with transaction() as db:
        _, secret = keys.create_key(db, member, name="program")
    with OpenAI(api_key=secret, base_url=f"{address}/v1", max_retries=0) as client:
        yield client


@pytest.fixture
def worker(member: Member) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=loop.run, args=(stop,))
    thread.start()
    yield
    stop.set()
    thread.join()


def ended(client: OpenAI, job: FineTuningJob) -> FineTuningJob:
    deadline = time.monotonic() + SECONDS_TO_TRAIN
    while job.status in {"queued", "running"} and time.monotonic() < deadline:
        time.sleep(0.2)
        job = client.fine_tuning.jobs.retrieve(job.id)
    return job


@pytest.mark.usefixtures("worker")
def test_a_customers_program_gets_a_model_and_predicts_with_it(
    client: OpenAI, member: Member, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = client.files.create(file=("support.csv", CSV), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        model="all-MiniLM-L6-v2",
        training_file=file.id,
        suffix="support",
        extra_body={"preset": "quick"},
        extra_headers={"Idempotency-Key": "the first"},
    )
    job = ended(client, job)
    assert job.status == "succeeded", job.error
    assert job.fine_tuned_model == "support"
    assert job.training_file == file.id

    events = client.fine_tuning.jobs.list_events(job.id, limit=2)
    assert len(events.data) == 2
    assert len(list(events)) > 2, "the client turns the pages by itself"
    assert {event.object for event in events} == {"fine_tuning.job.event"}

    model = client.models.retrieve("support")
    assert (model.object, model.id) == ("model", "support")
    assert {"support", "all-MiniLM-L6-v2"} <= {model.id for model in client.models.list()}

    texts = ["where is my card?", "what is the rate?"]
    answer = client.post(
        "/predict", body={"model": "support", "input": texts}, cast_to=httpx2.Response
    ).json()
    assert [item["index"] for item in answer["data"]] == [0, 1]
    assert answer["usage"]["predictions"] == 2

    monkeypatch.setenv("TUNEPORT_API_URL", address)
    settings.cache_clear()
    in_portal = portals_client.predict(member, model="support", inputs=texts)
    assert [item.label for item in in_portal.data] == [item["label"] for item in answer["data"]]  # type: ignore[union-attr]

    usage = client.get("/usage", cast_to=httpx2.Response).json()
    assert {"training_seconds", "predictions"} <= {total["meter"] for total in usage["totals"]}
    draft = client.get("/invoices", cast_to=httpx2.Response).json()["data"][0]
    assert draft["status"] == "draft"


def test_files_are_listed_read_and_deleted(client: OpenAI) -> None:
    ids = [
        client.files.create(file=(f"{number}.csv", b"text,label\na,b\n"), purpose="fine-tune").id
        for number in range(3)
    ]

    listed = client.files.list(limit=2)
    assert [file.id for file in listed] == ids[::-1]
    assert client.files.retrieve(ids[0]).filename == "0.csv"
    assert client.files.content(ids[0]).read() == b"text,label\na,b\n"
    assert client.files.wait_for_processing(ids[0], max_wait_seconds=1).status == "processed"
    assert client.files.delete(ids[0]).deleted is True

    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(ids[0])


def test_a_large_file_comes_in_parts(client: OpenAI, tmp_path: Path) -> None:
    (tmp_path / "support.csv").write_bytes(CSV)

    upload = client.uploads.upload_file_chunked(
        file=tmp_path / "support.csv", mime_type="text/csv", purpose="fine-tune", part_size=1_000
    )

    assert upload.status == "completed"
    assert upload.file is not None
    assert client.files.content(upload.file.id).content == CSV


def test_jobs_are_listed_and_cancelled(client: OpenAI) -> None:
    file = client.files.create(file=("support.csv", CSV), purpose="fine-tune")
    jobs = [
        client.fine_tuning.jobs.create(
            model="all-MiniLM-L6-v2",
            training_file=file.id,
            hyperparameters={"n_epochs": 2, "batch_size": "auto"},
            metadata={"model_name": f"model-{number}"},
            seed=number,
        )
        for number in range(3)
    ]

    assert [job.id for job in client.fine_tuning.jobs.list(limit=2)] == [job.id for job in reversed(jobs)]
    assert jobs[1].seed == 1
    assert jobs[1].hyperparameters.n_epochs == 2
    assert jobs[1].metadata is not None
    assert jobs[1].metadata["model_name"] == "model-1"
    assert client.fine_tuning.jobs.cancel(jobs[0].id).status == "cancelled"
    assert client.fine_tuning.jobs.retrieve(jobs[0].id).status == "cancelled"


def test_refusals_reach_the_client_as_its_own_errors(client: OpenAI, address: str) -> None:
    with pytest.raises(openai.AuthenticationError) as wrong_key:
        OpenAI(api_key="tp_wrong", base_url=f"{address}/v1", max_retries=0).models.list()
    with pytest.raises(openai.NotFoundError) as no_file:
        client.fine_tuning.jobs.create(model="all-MiniLM-L6-v2", training_file="file_0")
    with pytest.raises(openai.UnprocessableEntityError) as empty:
        client.files.create(file=("a.csv", b""), purpose="fine-tune")

    assert (wrong_key.value.code, wrong_key.value.type) == ("bad_api_key", "authentication_error")
    assert (no_file.value.code, no_file.value.request_id[:4]) == ("not_found", "req_")  # type: ignore[index]
    assert empty.value.code == "empty_file"
    assert "The file is empty." in str(empty.value)


def test_a_conflict_is_not_tried_again(client: OpenAI) -> None:
    retrying = client.with_options(max_retries=2)
    file = client.files.create(file=("support.csv", CSV), purpose="fine-tune")
    key = {"Idempotency-Key": "once"}
    client.fine_tuning.jobs.create(
        model="all-MiniLM-L6-v2", training_file=file.id, suffix="one", extra_headers=key
    )
    began = time.monotonic()

    with pytest.raises(openai.ConflictError) as reused:
        retrying.fine_tuning.jobs.create(
            model="all-MiniLM-L6-v2", training_file=file.id, suffix="two", extra_headers=key
        )

    assert reused.value.code == "idempotency_key_reused"
    assert time.monotonic() - began < 0.5, "the client waits at least half a second before it retries"
