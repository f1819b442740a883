"""Usage events leave as CloudEvents, come back the same, and are written out in one way only."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metering.cloudevents import NotACloudEvent, canonical, from_cloud_event, line, to_cloud_event
from services.metering.tables import UsageEvent

AT = datetime(2026, 11, 10, 12, 0, 0, 5, tzinfo=UTC)


def create_event(**changes: Any) -> UsageEvent:
    fields = {
        "tenant_id": "ten_1",
        "id": "job:job_1:training",
        "meter": "training_seconds",
        "quantity": Decimal("12.500000"),
        "at": AT,
        "recorded_at": AT + timedelta(seconds=1),
        "job_id": "job_1",
        "user_id": "usr_1",
        "properties": {"device_class": "cpu"},
    }
    return UsageEvent(**(fields | changes))


def create_cloud_event(**changes: Any) -> dict[str, Any]:
    return to_cloud_event(create_event()) | changes


def test_the_line_of_an_event_is_always_the_same() -> None:
    assert line(create_event()) == (
        b'{"data":{"job_id":"job_1","meter":"training_seconds","properties":{"device_class":"cpu"},'
        b'"quantity":"12.5","user_id":"usr_1"},"datacontenttype":"application/json",'
        b'"id":"job:job_1:training","recordedtime":"2026-11-10T12:00:01.000005Z",'
        b'"source":"/workspaces/ten_1","specversion":"1.0","subject":"job_1",'
        b'"time":"2026-11-10T12:00:00.000005Z","type":"tuneport.usage.v1"}'
    )
    elsewhere = timezone(timedelta(hours=5, minutes=30))
    assert line(create_event(at=AT.astimezone(elsewhere))) == line(create_event())


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
SOME = st.none() | TEXT


@given(
    st.builds(
        create_event,
        id=TEXT,
        meter=TEXT,
        quantity=st.integers(0, 10**18).map(lambda micros: Decimal(micros).scaleb(-6)),
        at=st.datetimes(timezones=st.just(UTC)),
        job_id=SOME,
        model_version_id=SOME,
        key_id=SOME,
        user_id=SOME,
        properties=st.dictionaries(TEXT, TEXT, max_size=3),
    )
)
def test_the_line_by_hand_is_the_canonical_one(event: UsageEvent) -> None:
    assert line(event) == canonical(to_cloud_event(event))


def test_an_event_that_left_comes_back_as_it_was() -> None:
    event = create_event()

    back = from_cloud_event(json.loads(line(event)), "ten_1")

    assert (back.id, back.meter, back.quantity, back.at) == (event.id, event.meter, event.quantity, event.at)
    assert (back.job_id, back.user_id, back.key_id) == ("job_1", "usr_1", None)
    assert back.properties == {"device_class": "cpu"}


def test_an_id_counts_within_its_source() -> None:
    ours = from_cloud_event(create_cloud_event(), "ten_1")
    gateway = from_cloud_event(create_cloud_event(source="/gateways/7"), "ten_1")

    assert (ours.id, gateway.id) == ("job:job_1:training", "/gateways/7#job:job_1:training")


@pytest.mark.parametrize(
    "changes",
    [
        {"specversion": "0.3"},
        {"type": "something.else"},
        {"id": ""},
        {"id": 7},
        {"id": "a\x00b"},
        {"id": "x" * 401},
        {"source": None},
        {"time": "yesterday"},
        {"time": "2026-11-10T12:00:00"},
        {"data": "much"},
        {"data": {"meter": "predictions"}},
        {"data": {"meter": "predictions", "quantity": True}},
        {"data": {"meter": "predictions", "quantity": 1.5}},
        {"data": {"meter": "predictions", "quantity": "a lot"}},
        {"data": {"meter": "predictions", "quantity": "1", "properties": {"a": 1}}},
    ],
)
def test_what_is_no_cloud_event_of_use_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(NotACloudEvent):
        from_cloud_event(create_cloud_event(**changes), "ten_1")


def test_text_of_any_script_is_written_as_it_is() -> None:
    assert canonical({"b": "语言", "a": 1}) == '{"a":1,"b":"语言"}'.encode()
