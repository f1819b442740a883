"""Programs tell of use that was measured elsewhere, in structured and in batched mode."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from services import clock, ids
from services.accounts import keys
from services.db import reading, transaction
from services.metering import service as metering
from services.metering.cloudevents import BATCH_MEDIA_TYPE, MEDIA_TYPE, TYPE, source_of
from services.metering.intake import AHEAD, OLDEST
from tests.services.api.conftest import Workspace, on_both_databases, refused


@pytest.fixture
def gateway(workspace: Workspace) -> Workspace:
    """The same workspace, with a key that may tell of use."""
    with transaction() as db:
        key, secret = keys.create_key(db, workspace.member, name="gateway", tells_usage=True)
    return Workspace(http=workspace.http, member=workspace.member, key_id=key.id, secret=secret)


def event(**changes: Any) -> dict[str, Any]:
    data = {"meter": "predictions", "quantity": "3", "model_version_id": "mv_1"} | changes.pop("data", {})
    return {
        "specversion": "1.0",
        "type": TYPE,
        "source": "https://edge.example/gateway",
        "id": ids.new("request"),
        "time": clock.now().isoformat(),
        "data": data,
    } | changes


def tell(workspace: Workspace, sent: object, *, kind: str = BATCH_MEDIA_TYPE) -> Any:
    content = sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    return workspace.call("POST", "/v1/usage/events", content=content, headers={"Content-Type": kind})


def kept(workspace: Workspace) -> list[str]:
    today = clock.now().date()
    with reading() as db:
        page = metering.events(
            db, workspace.member, first=today - timedelta(days=40), last=today + timedelta(days=1)
        )
        return sorted(found.id for found in page.events)


@on_both_databases
def test_a_batch_is_recorded_once_however_often_it_is_told(gateway: Workspace) -> None:
    batch = [event(), event()]

    first, again = tell(gateway, batch).json(), tell(gateway, [*batch, batch[0]]).json()

    assert first == {"object": "receipt", "inserted": 2, "duplicates": 0, "refused": []}
    assert again == {"object": "receipt", "inserted": 0, "duplicates": 3, "refused": []}
    assert kept(gateway) == sorted(f"https://edge.example/gateway#{one['id']}" for one in batch)


def test_a_single_event_is_told_alone(gateway: Workspace) -> None:
    answer = tell(gateway, event(), kind=MEDIA_TYPE)

    assert (answer.status_code, answer.json()["inserted"]) == (200, 1)


def later(delta: timedelta) -> str:
    return (clock.now() + delta).isoformat()


WRONG: dict[str, tuple[str, Callable[[Workspace], dict[str, Any]]]] = {
    "from the future": (
        "usage_from_the_future",
        lambda _: event(time=later(AHEAD + timedelta(minutes=1))),
    ),
    "older than 35 days": ("usage_too_old", lambda _: event(time=later(-OLDEST - timedelta(minutes=1)))),
    "negative": ("unusable_quantity", lambda _: event(data={"quantity": "-1"})),
    "a negative number": ("unusable_quantity", lambda _: event(data={"quantity": -0.5})),
    "not a number": ("unusable_quantity", lambda _: event(data={"quantity": "NaN"})),
    "JSON that is none": ("unusable_quantity", lambda _: event(data={"quantity": float("nan")})),
    "infinite": ("unusable_quantity", lambda _: event(data={"quantity": float("inf")})),
    "minus infinite": ("unusable_quantity", lambda _: event(data={"quantity": "-Infinity"})),
    "too fine": ("unusable_quantity", lambda _: event(data={"quantity": "0.0000001"})),
    "too large": ("unusable_quantity", lambda _: event(data={"quantity": "1e13"})),
    "an unknown meter": ("unknown_meter", lambda _: event(data={"meter": "coffee"})),
    "no device class": ("usage_property_missing", lambda _: event(data={"meter": "training_seconds"})),
    "another version": ("not_a_cloud_event", lambda _: event(specversion="0.3")),
    "another type": ("not_a_cloud_event", lambda _: event(type="com.example.other")),
    "a text as quantity": ("not_a_cloud_event", lambda _: event(data={"quantity": "many"})),
    "our own source": ("source_is_ours", lambda told: event(source=source_of(told.member.tenant_id))),
}


@pytest.mark.parametrize("what", WRONG)
def test_each_wrong_event_is_refused_by_its_code_and_the_others_are_kept(
    gateway: Workspace, what: str
) -> None:
    code, made = WRONG[what]
    good, bad = event(), made(gateway)

    answer = tell(gateway, [bad, good]).json()
    refused(tell(gateway, bad, kind=MEDIA_TYPE), 422, code)

    assert (answer["inserted"], answer["duplicates"]) == (1, 0)
    assert [(one["position"], one["id"], one["code"]) for one in answer["refused"]] == [(0, bad["id"], code)]
    assert kept(gateway) == [f"https://edge.example/gateway#{good['id']}"]


@pytest.mark.parametrize("content", [b"", b"{", b"7", b'"text"', b"null", b"\xff", b"[" * 100_000])
def test_what_is_neither_an_event_nor_a_list_is_refused(gateway: Workspace, content: bytes) -> None:
    refused(tell(gateway, content), 422, "unreadable_events")


def test_too_many_at_once_are_refused_as_a_whole(gateway: Workspace) -> None:
    refused(tell(gateway, [event()] * 1_001), 422, "invalid_request")
    assert kept(gateway) == []


def test_only_a_key_that_may_tells_of_use(workspace: Workspace, gateway: Workspace, http: TestClient) -> None:
    refused(tell(workspace, [event()]), 403, "key_tells_no_usage")
    refused(http.post("/v1/usage/events", json=[event()]), 401, "bad_api_key")
    assert kept(gateway) == []


def test_nobody_takes_the_id_of_what_the_product_is_yet_to_record(gateway: Workspace) -> None:
    job = "job:job_1:training"
    data = {"meter": "training_seconds", "quantity": "0", "properties": {"device_class": "cuda"}}

    tell(
        gateway,
        [event(id=job, data=data), event(id=job, data=data, source=source_of(gateway.member.tenant_id))],
    )

    assert job not in kept(gateway)
