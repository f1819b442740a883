"""A file becomes a job in one request, or leaves nothing behind."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from services import clock
from services.accounts.tables import Tenant
from services.billing.tables import CreditGrant
from services.datasets import service as datasets
from services.datasets.tables import DatasetVersion
from services.db import reading, transaction
from services.jobs import queue
from services.jobs import service as jobs
from services.jobs.queue import Claimed
from services.jobs.tables import Job
from services.metering import service as metering
from services.metering import usage
from services.registry import service as registry
from services.training.process.events import EventKind, Phase, RunEvent
from tests import factories
from tests.services.api.conftest import Workspace, create_workspace, on_both_databases, refused
from tests.services.registry.test_service import create_artefact, create_report
from tests.services.world import CSV

CONLL = b"".join(b"Anna B-person\nlives O\nin O\nBonn%d B-city\n\n" % number for number in range(12))
JOBS = "/v1/fine_tuning/jobs"


def order(workspace: Workspace, file_id: str, *, key: str = "", **fields: Any) -> Any:
    body = {"model": "all-MiniLM-L6-v2", "training_file": file_id, **fields}
    headers = {"Idempotency-Key": key} if key else {}
    return workspace.call("POST", JOBS, json=body, headers=headers)


def ordered(workspace: Workspace, file_id: str, **fields: Any) -> dict[str, Any]:
    answer = order(workspace, file_id, **fields)
    assert answer.status_code == 200, answer.text
    job: dict[str, Any] = answer.json()
    return job


def claim() -> Claimed:
    with transaction() as db:
        claimed = factories.claim(db)
    assert claimed is not None
    return claimed


def nothing_but_uploads(workspace: Workspace, home: Path) -> bool:
    with reading() as db:
        kept = datasets.list_datasets(db, workspace.member) or jobs.recent(db, workspace.member)
    return not kept and not list((home / "objects").rglob("datasets/*"))


@on_both_databases
def test_a_job_is_made_of_a_file(workspace: Workspace) -> None:
    file_id = workspace.upload(CSV, filename="Card questions.csv")

    job = ordered(workspace, file_id)

    assert job["object"] == "fine_tuning.job"
    assert job["status"] == "queued"
    assert (job["model"], job["training_file"]) == ("all-MiniLM-L6-v2", file_id)
    assert job["organization_id"] == workspace.member.tenant_id
    assert job["metadata"]["task"] == "text-classification"
    assert job["metadata"]["preset"] == "quick"
    assert job["metadata"]["model_name"] == "card-questions"
    assert job["fine_tuned_model"] is None
    assert job["finished_at"] is None
    assert job["error"] is None
    assert 0 < job["quote"]["seconds_low"] <= job["quote"]["seconds_high"]
    assert job["quote"]["currency"] == "EUR"
    assert workspace.call("GET", f"{JOBS}/{job['id']}").json() == job
    with reading() as db:
        ((dataset, version),) = datasets.list_datasets(db, workspace.member)
    assert dataset.name == "Card questions.csv"
    assert (version.rows_used, version.upload_id) == (24, file_id)


def test_the_task_is_taken_from_the_data(workspace: Workspace) -> None:
    file_id = workspace.upload(CONLL, filename="places.conll")

    assert ordered(workspace, file_id)["metadata"]["task"] == "token-classification"


@on_both_databases
def test_a_second_job_uses_the_version_that_is_there(workspace: Workspace) -> None:
    rows = [f"what is {number}?,{number % 2},{number % 3}" for number in range(30)]
    file_id = workspace.upload("\n".join(["text,label,topic", *rows]).encode())

    first, second = ordered(workspace, file_id), ordered(workspace, file_id, preset="best")
    by_topic = ordered(workspace, file_id, label_column="topic", model_name="topics")

    assert first["id"] != second["id"]
    assert first["metadata"]["dataset_version"] == second["metadata"]["dataset_version"]
    assert by_topic["metadata"]["dataset_version"] != first["metadata"]["dataset_version"]


@pytest.mark.parametrize("where", ["extra", "metadata"])
def test_what_the_client_has_no_argument_for_is_heard(workspace: Workspace, where: str) -> None:
    content = CSV.replace(b"text,label", b"question,intent") + b"who are you?,other\n" * 3
    said = {
        "task": "text-classification",
        "preset": "best",
        "text_column": "question",
        "label_column": "intent",
        "model_name": "intents",
    }

    job = ordered(workspace, workspace.upload(content), **(said if where == "extra" else {"metadata": said}))

    assert job["metadata"].items() >= {"preset": "best", "model_name": "intents"}.items()


def test_hyperparameters_make_a_recipe_of_its_own(workspace: Workspace) -> None:
    file_id = workspace.upload(CSV)
    tuned = {"n_epochs": 7, "batch_size": "auto", "learning_rate_multiplier": 2.0}

    by_field = ordered(workspace, file_id, hyperparameters=tuned, seed=7, suffix="tuned")
    by_method = ordered(
        workspace,
        file_id,
        method={"type": "supervised", "supervised": {"hyperparameters": tuned}},
        suffix="tuned",
    )
    plain = ordered(workspace, file_id, hyperparameters={"n_epochs": "auto"}, suffix="tuned")

    assert by_field["metadata"]["preset"] == "custom"
    assert by_field["hyperparameters"] == by_method["hyperparameters"]
    assert by_field["hyperparameters"]["n_epochs"] == 7
    assert by_field["hyperparameters"]["learning_rate_multiplier"] == 2.0
    assert by_field["hyperparameters"]["learning_rate"] == 2e-4
    assert by_field["seed"] == 7
    assert by_field["metadata"]["model_name"] == "tuned"
    assert plain["metadata"]["preset"] == "quick"


@pytest.mark.parametrize(
    ("fields", "status", "code", "param"),
    [
        ({"model": "gpt-4o-mini"}, 422, "base_model_unknown", None),
        ({"task": "poetry"}, 422, "invalid_request", "task"),
        ({"task": "token-classification"}, 409, "task_mismatch", None),
        ({"task": "unlabelled-text"}, 422, "task_not_trainable", None),
        ({"preset": "turbo"}, 422, "invalid_request", "preset"),
        ({"text_column": "body"}, 422, "unknown_column", None),
        ({"text_column": "label"}, 422, "same_column", None),
        ({"suffix": "Not A Name"}, 422, "bad_model_name", None),
        ({"hyperparameters": {"n_epochs": 0}}, 422, "invalid_request", "hyperparameters.n_epochs"),
        ({"hyperparameters": {"n_epochs": "many"}}, 422, "invalid_request", "hyperparameters.n_epochs"),
        ({"hyperparameters": {"n_epochs": 3}, "preset": "quick"}, 422, "invalid_request", "hyperparameters"),
        ({"hyperparameters": {"max_length": 8000}}, 422, "base_model_reads_less", None),
        ({"method": {"type": "dpo"}}, 422, "invalid_request", "method.type"),
        ({"seed": -1}, 422, "invalid_request", "seed"),
        ({"metadata": {"team": "blue"}}, 422, "invalid_request", "metadata.team"),
        ({"validation_file": "file_1"}, 404, "not_found", None),
        ({"integrations": [{"type": "wandb"}]}, 422, "invalid_request", "integrations"),
        ({"training_file": "file_0"}, 404, "not_found", None),
    ],
)
def test_a_faulty_order_is_refused_and_leaves_nothing(
    workspace: Workspace, home: Path, fields: dict[str, Any], status: int, code: str, param: str | None
) -> None:
    answer = order(workspace, workspace.upload(CSV), **fields)

    refused(answer, status, code)
    assert answer.json()["error"]["param"] == param
    assert nothing_but_uploads(workspace, home)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"text,label\n" + b"where is it?,card\n" * 5, "one_class"),
        (b"text\nwhere is it?\n", "one_column"),
        (b"text,label\n,\n,\n", "no_usable_rows"),
        (b"text,label\na,x\nb,y\n", "too_few_rows"),
    ],
)
def test_data_that_cannot_be_used_is_refused_and_leaves_nothing(
    workspace: Workspace, home: Path, content: bytes, code: str
) -> None:
    refused(order(workspace, workspace.upload(content)), 422, code)

    assert nothing_but_uploads(workspace, home)


@on_both_databases
def test_a_spent_trial_is_refused_and_leaves_nothing(workspace: Workspace, home: Path) -> None:
    file_id = workspace.upload(CSV)
    with transaction() as db:
        for grant in db.exec(select(CreditGrant).where(CreditGrant.tenant_id == workspace.member.tenant_id)):
            db.delete(grant)

    answer = order(workspace, file_id)

    refused(answer, 402, "credit_spent")
    assert answer.json()["error"]["type"] == "insufficient_quota"
    assert answer.headers["x-should-retry"] == "false"
    assert nothing_but_uploads(workspace, home)


def test_a_full_queue_is_refused_and_leaves_nothing(workspace: Workspace, home: Path) -> None:
    with transaction() as db:
        db.get_one(Tenant, workspace.member.tenant_id).open_job_limit = 0

    refused(order(workspace, workspace.upload(CSV)), 409, "job_quota_reached")

    assert nothing_but_uploads(workspace, home)


@on_both_databases
def test_files_for_validation_and_test_are_kept_as_given(workspace: Workspace) -> None:
    train = workspace.upload(CSV, filename="messages.csv")
    others = {
        which: workspace.upload(
            b"text,label\n"
            + b"".join(b"%s %d,%s\n" % (which.encode(), at, label) for at in range(rows))
            + b"more,%s\n" % label
        )
        for which, rows, label in (("validation_file", 3, b"card"), ("test_file", 5, b"card"))
    }

    first, second = (ordered(workspace, train, **others, key="monday") for _ in range(2))

    with reading() as db:
        ((_, version),) = datasets.list_datasets(db, workspace.member)
    assert (version.splits["validation"], version.splits["test"]) == (4, 6)
    assert first["id"] == second["id"]
    assert first["training_file"] == version.upload_id
    names = [file["filename"] for file in workspace.call("GET", "/v1/files").json()["data"]]
    assert names[0] == "messages (3 files).zip"
    assert len(names) == 4


@on_both_databases
def test_the_same_key_is_the_same_job(workspace: Workspace) -> None:
    file_id, other = workspace.upload(CSV), workspace.upload(CSV)

    first, again = ordered(workspace, file_id, key="order-1"), ordered(workspace, file_id, key="order-1")
    fresh = ordered(workspace, file_id, key="order-2")

    assert first["id"] == again["id"] != fresh["id"]
    refused(order(workspace, other, key="order-1"), 409, "idempotency_key_reused")
    with reading() as db:
        assert len(datasets.list_datasets(db, workspace.member)) == 1


@on_both_databases
def test_fifty_orders_at_once_with_one_key_are_one_job(workspace: Workspace) -> None:
    file_id = workspace.upload(CSV)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: order(workspace, file_id, key="once"), range(50)))

    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1
    with reading() as db:
        assert len(db.exec(select(Job)).all()) == 1
        assert len(db.exec(select(DatasetVersion)).all()) == 1


@on_both_databases
def test_the_list_has_pages(workspace: Workspace) -> None:
    file_id = workspace.upload(CSV)
    ids = [ordered(workspace, file_id)["id"] for _ in range(3)]

    first = workspace.call("GET", JOBS, params={"limit": 2}).json()
    rest = workspace.call("GET", JOBS, params={"limit": 2, "after": first["data"][-1]["id"]}).json()

    assert [job["id"] for job in first["data"]] == [ids[2], ids[1]]
    assert (first["has_more"], rest["has_more"]) == (True, False)
    assert [job["id"] for job in rest["data"]] == [ids[0]]
    refused(workspace.call("GET", JOBS, params={"after": "job_0"}), 404, "not_found")
    refused(workspace.call("GET", JOBS, params={"limit": 0}), 422, "invalid_request")


@on_both_databases
def test_a_waiting_job_tells_when_it_will_start(workspace: Workspace) -> None:
    job = ordered(workspace, workspace.upload(CSV))
    assert (job["estimated_start"], job["latest_start"]) == (None, None), "nobody is there to take it"
    with transaction() as db:
        factories.next_worker(db)

    [shown] = workspace.call("GET", JOBS).json()["data"]

    now = clock.now().timestamp()
    assert now - 5 <= shown["estimated_start"] <= shown["latest_start"] <= now + 5


@on_both_databases
def test_a_running_job_tells_when_it_will_finish(workspace: Workspace) -> None:
    job = ordered(workspace, workspace.upload(CSV))
    claimed = claim()
    with transaction() as db:
        story = [
            RunEvent(kind=EventKind.phase, phase=Phase.training),
            RunEvent(
                kind=EventKind.progress,
                phase=Phase.training,
                step=5,
                steps=10,
                values={"loss": 0.25},
                eta_seconds=60.0,
            ),
            RunEvent(kind=EventKind.note, phase=Phase.training, message="Half of it is done."),
        ]
        queue.report(db, claimed, list(enumerate(story[:2])))

    shown = workspace.call("GET", f"{JOBS}/{job['id']}").json()
    assert (shown["status"], shown["phase"], shown["progress"]) == ("running", "training", 0.5)
    assert 55 <= shown["estimated_finish"] - clock.now().timestamp() <= 65

    with transaction() as db:
        queue.report(db, claimed, [(2, story[2])])
    newest = workspace.call("GET", f"{JOBS}/{job['id']}/events", params={"limit": 2}).json()
    after = {"after": newest["data"][-1]["id"]}
    oldest = workspace.call("GET", f"{JOBS}/{job['id']}/events", params=after).json()

    assert [event["message"] for event in newest["data"]] == [
        "Half of it is done.",
        "Training: step 5 of 10, loss 0.25",
    ]
    assert newest["has_more"] is True
    assert newest["data"][1]["type"] == "metrics"
    assert newest["data"][1]["data"]["loss"] == 0.25
    assert [event["message"] for event in oldest["data"]] == ["Training has begun"]
    unknown = workspace.call("GET", f"{JOBS}/{job['id']}/events", params={"after": "nothing"})
    refused(unknown, 404, "not_found")


@on_both_databases
def test_a_finished_job_names_its_model(workspace: Workspace, tmp_path: Path) -> None:
    job = ordered(workspace, workspace.upload(CSV), suffix="intents")
    claimed = claim()
    artefact = create_artefact(tmp_path / "model", job_id=job["id"], tenant_id=claimed.tenant_id)
    with transaction() as db:
        version = registry.publish(
            db,
            claimed.member,
            name="intents",
            job_id=job["id"],
            labels=["card", "rate"],
            report=create_report(),
            artefact=artefact,
        )
        tokens = usage.trained_tokens(
            tenant_id=claimed.tenant_id, job_id=job["id"], tokens=1234, at=clock.now()
        )
        metering.record(db, [tokens])
        queue.finish(db, claimed, model_version_id=version.id, charged=10_000)

    shown = workspace.call("GET", f"{JOBS}/{job['id']}").json()

    assert (shown["status"], shown["fine_tuned_model"]) == ("succeeded", "intents")
    assert shown["metadata"]["model_version"] == version.id
    assert shown["trained_tokens"] == 1234
    assert shown["quote"]["charged"] == 10_000
    assert shown["finished_at"] >= shown["created_at"]
    assert (shown["phase"], shown["progress"], shown["estimated_finish"]) == (None, 1.0, None)
    refused(workspace.call("POST", f"{JOBS}/{job['id']}/cancel"), 409, "job_is_over")


def test_a_failed_job_says_why(workspace: Workspace) -> None:
    job = ordered(workspace, workspace.upload(CSV))
    claimed = claim()
    with transaction() as db:
        queue.fail(db, claimed, code="nan_loss", message="The loss became infinite.")

    shown = workspace.call("GET", f"{JOBS}/{job['id']}").json()

    assert shown["status"] == "failed"
    assert shown["error"] == {"code": "nan_loss", "message": "The loss became infinite.", "param": None}


def test_a_running_job_can_be_stopped_and_kept(workspace: Workspace) -> None:
    job = ordered(workspace, workspace.upload(CSV))
    refused(workspace.call("POST", f"{JOBS}/{job['id']}/stop"), 409, "job_not_running")
    with transaction() as db:
        claimed = factories.claim(db)

    stopped = workspace.call("POST", f"{JOBS}/{job['id']}/stop")

    assert stopped.json()["status"] == "running"
    with reading() as db:
        assert queue.wish(db, claimed) == queue.Wish(cancel=False, stop=True)


def test_a_queued_job_is_cancelled_at_once(workspace: Workspace) -> None:
    job = ordered(workspace, workspace.upload(CSV))

    cancelled = workspace.call("POST", f"{JOBS}/{job['id']}/cancel")

    assert cancelled.json()["status"] == "cancelled"
    assert workspace.call("POST", f"{JOBS}/{job['id']}/cancel").json()["status"] == "cancelled"


@on_both_databases
def test_another_workspace_may_have_the_same_names(workspace: Workspace, http: TestClient) -> None:
    other = create_workspace(http)

    mine = ordered(workspace, workspace.upload(CSV), key="one", suffix="intents")
    theirs = ordered(other, other.upload(CSV), key="one", suffix="intents")

    assert mine["id"] != theirs["id"]
