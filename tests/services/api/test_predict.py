"""Every answered text is counted once, before it is answered; nothing else is."""

import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from sqlmodel import select

from services.api.allowance import BELIEVED_SECONDS
from services.api.limits import MAX_TEXT_CHARACTERS, MAX_TEXTS
from services.billing.budgets import set_budget
from services.billing.money import Money
from services.billing.tables import CreditGrant
from services.db import reading, transaction
from services.inference import service as inference
from services.inference import tokens
from services.metering.tables import UsageEvent
from services.registry import service as registry
from services.training.recipe import Task
from tests import factories
from tests.services.api.conftest import Workspace, on_both_databases, refused
from tests.services.inference.artefacts import create_model_folder
from tests.services.registry.test_service import create_report

# What the open job of `publish` holds of the credit, in micro-units.
HELD = 60_000


def publish(
    workspace: Workspace,
    folder: Path,
    *,
    name: str = "intents",
    task: Task = Task.text_classification,
    labels: tuple[str, ...] = ("card", "rate"),
) -> str:
    """A model that can predict; gives its version's id."""
    create_model_folder(folder, task=task, labels=labels)
    with transaction() as db:
        job = factories.create_job(db, workspace.member)
        artefact = registry.store(folder, tenant_id=workspace.member.tenant_id, job_id=job.id, attempt_id="1")
        version = registry.publish(
            db,
            workspace.member,
            name=name,
            job_id=job.id,
            labels=list(labels),
            report=create_report(task=task),
            artefact=artefact,
        )
        return version.id


def predict(workspace: Workspace, text: Any, *, model: str = "intents") -> Response:
    return workspace.call("POST", "/v1/predict", json={"model": model, "input": text})


def events(workspace: Workspace) -> list[UsageEvent]:
    with reading() as db:
        owned = select(UsageEvent).where(UsageEvent.tenant_id == workspace.member.tenant_id)
        return list(db.exec(owned.order_by(UsageEvent.id)))


@pytest.fixture
def version(workspace: Workspace, tmp_path: Path) -> str:
    return publish(workspace, tmp_path / "intents")


def test_one_text_gets_its_label_with_every_score(workspace: Workspace, version: str) -> None:
    answer = predict(workspace, "where is my card?")

    told = answer.json()
    (item,) = told["data"]
    assert answer.status_code == 200, answer.text
    assert (told["object"], told["model"], told["model_version"]) == ("list", "intents", version)
    assert item["index"] == 0
    assert set(item["scores"]) == {"card", "rate"}
    assert sum(item["scores"].values()) == pytest.approx(1)
    assert item["score"] == max(item["scores"].values()) == item["scores"][item["label"]]
    assert told["usage"] == {"predictions": 1, "characters": 17}


def test_a_list_is_answered_in_its_order(workspace: Workspace, version: str) -> None:
    texts = [f"text number {number} " + "and more " * (number % 7) for number in range(100)]

    together = predict(workspace, texts).json()
    alone = [predict(workspace, text).json()["data"][0] for text in texts[:5]]

    assert [item["index"] for item in together["data"]] == list(range(100))
    assert together["usage"] == {"predictions": 100, "characters": sum(map(len, texts))}
    for one, among in zip(alone, together["data"], strict=False):
        assert one["label"] == among["label"]
        assert one["score"] == pytest.approx(among["score"], abs=1e-5)


def test_entities_stand_where_the_text_has_them(workspace: Workspace, tmp_path: Path) -> None:
    publish(workspace, tmp_path / "places", name="places", task=Task.token_classification, labels=("city",))
    text = "From Bonn to Kürten — and on."

    (item,) = predict(workspace, text, model="places").json()["data"]

    assert set(item) == {"index", "entities", "abstained", "withheld"}
    for entity in item["entities"]:
        assert text[entity["start"] : entity["end"]] == entity["text"]


@on_both_databases
def test_a_model_is_called_by_name_id_or_version(workspace: Workspace, version: str) -> None:
    with reading() as db:
        model_id = registry.get_version(db, workspace.member, version_id=version).model_id

    answers = [predict(workspace, "hello", model=name).json() for name in ("intents", model_id, version)]

    assert {answer["model_version"] for answer in answers} == {version}


@on_both_databases
def test_every_text_counts_once_for_key_and_version(workspace: Workspace, version: str) -> None:
    answer = predict(workspace, ["one", "two", "three"])

    (event,) = events(workspace)
    assert event.id == f"req:{answer.headers['x-request-id']}"
    assert (event.meter, event.quantity) == ("predictions", Decimal(3))
    assert (event.key_id, event.user_id) == (workspace.key_id, None)
    assert event.model_version_id == version


def test_a_person_in_the_portal_counts_as_that_person(workspace: Workspace, version: str) -> None:
    headers = {"Authorization": f"Bearer {tokens.issue(workspace.member)}"}

    workspace.http.post("/v1/predict", json={"model": "intents", "input": "hello"}, headers=headers)

    (event,) = events(workspace)
    assert (event.key_id, event.user_id) == (None, workspace.member.user_id)


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("", 422, "empty_input"),
        (" \n", 422, "empty_input"),
        ([], 422, "empty_input"),
        (["fine", ""], 422, "empty_input"),
        (["a"] * (MAX_TEXTS + 1), 413, "too_many_texts"),
        ("a" * (MAX_TEXT_CHARACTERS + 1), 413, "text_too_long"),
        (None, 422, "invalid_request"),
        ({"text": "a"}, 422, "invalid_request"),
    ],
)
def test_what_is_refused_is_not_counted(
    workspace: Workspace, version: str, text: Any, status: int, code: str
) -> None:
    answer = predict(workspace, text)

    refused(answer, status, code)
    assert answer.json()["error"]["param"] == "input"
    assert events(workspace) == []


def test_a_missing_model_is_refused_and_not_counted(workspace: Workspace) -> None:
    assert "“nothing”" in refused(predict(workspace, "hello", model="nothing"), 404, "model_not_found")
    assert events(workspace) == []


def test_a_damaged_model_is_refused_and_not_counted(workspace: Workspace, version: str, home: Path) -> None:
    (weights,) = (home / "objects").rglob("model.safetensors")
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)

    refused(predict(workspace, "hello"), 503, "artefact_damaged")

    assert events(workspace) == []


def spend_the_trial(workspace: Workspace, *, left: int) -> None:
    with transaction() as db:
        for grant in db.exec(select(CreditGrant).where(CreditGrant.tenant_id == workspace.member.tenant_id)):
            grant.amount = left
            db.add(grant)


@on_both_databases
def test_a_spent_trial_is_refused_and_not_counted(workspace: Workspace, version: str) -> None:
    spend_the_trial(workspace, left=HELD)

    refused(predict(workspace, "hello"), 402, "credit_spent")

    assert events(workspace) == []


@on_both_databases
def test_the_credit_ends_where_it_ends_however_many_ask_at_once(workspace: Workspace, version: str) -> None:
    # 0.20 per 1,000: so much pays for 2,500 texts and no more.
    spend_the_trial(workspace, left=HELD + 500_000)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: predict(workspace, ["hello"] * 100), range(40)))

    through = [answer for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} == {200, 402}
    assert sum(event.quantity for event in events(workspace)) == 100 * len(through)
    assert 2_400 <= 100 * len(through) <= 2_500


def limit_by_budget(workspace: Workspace, *, euros: str) -> None:
    with transaction() as db:
        amount = Money(int(Decimal(euros) * 10**6), "EUR")
        set_budget(db, workspace.member, amount=amount, hard_stop=True)


@on_both_databases
def test_predictions_stop_within_a_second_of_a_budget_that_is_reached(
    workspace: Workspace, version: str
) -> None:
    assert BELIEVED_SECONDS <= 1
    assert predict(workspace, ["hello"] * 100).status_code == 200

    # 0.02 are spent, and a job holds some of the rest.
    limit_by_budget(workspace, euros="0.02")
    time.sleep(BELIEVED_SECONDS)

    refused(predict(workspace, "hello"), 402, "budget_reached")
    assert sum(event.quantity for event in events(workspace)) == 100


def test_a_threshold_holds_in_the_engine_and_in_the_api_alike(workspace: Workspace, tmp_path: Path) -> None:
    version_id = publish(workspace, tmp_path / "model")
    before = predict(workspace, "where is my card").json()["data"][0]
    chosen = workspace.call("PUT", "/v1/models/intents/threshold", json={"threshold": 0.999})

    after = predict(workspace, "where is my card").json()["data"][0]

    assert chosen.json() == {"threshold": 0.999}
    assert (before["label"] in ("card", "rate"), before["abstained"]) == (True, False)
    assert (after["label"], after["abstained"]) == (None, True)
    assert after["scores"] == before["scores"]
    with reading() as db:
        version = registry.get_version(db, workspace.member, version_id=version_id)
    (engine,) = inference.predict(version, ["where is my card"], threshold=0.999)
    assert (engine.label, engine.abstained) == (None, True)
