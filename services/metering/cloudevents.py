"""Usage events as CloudEvents 1.0 in JSON: how they come in from elsewhere, leave, and are sealed.

Written out in one way only: members in the order of their names, no white space, UTF-8. What is sealed is
exactly such a line, so that whoever has the lines can check a seal with a hash function alone.
Source of the format: https://github.com/cloudevents/spec, CloudEvents 1.0.2 and its JSON event format.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from json.encoder import encode_basestring as _quoted
from typing import Any, Protocol

from services.errors import Invalid
from services.metering.usage import NewUsage

TYPE = "tuneport.usage.v1"
MEDIA_TYPE = "application/cloudevents+json"
BATCH_MEDIA_TYPE = "application/cloudevents-batch+json"

# Of a usage event's columns, those that its data has under the same names.
_PLACES = ("job_id", "model_version_id", "key_id", "user_id")


class Told(Protocol):
    """A usage event as the ledger has it: a row, or the columns of one."""

    tenant_id: str
    id: str
    meter: str
    quantity: Decimal
    at: datetime
    recorded_at: datetime
    job_id: str | None
    model_version_id: str | None
    key_id: str | None
    user_id: str | None
    properties: dict[str, Any]


class UnreadableEvents(Invalid):
    """Neither a CloudEvent nor a list of them."""

    code = "unreadable_events"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"These are no CloudEvents in JSON: {why}. Send one event as an object ({MEDIA_TYPE}), or a list "
            f"of them ({BATCH_MEDIA_TYPE})."
        )
        self.why = why


class NotACloudEvent(Invalid):
    """Not a CloudEvent of use."""

    code = "not_a_cloud_event"

    def __init__(self, why: str) -> None:
        super().__init__(f"This is no usage event in CloudEvents 1.0: {why}. Correct it and send it again.")
        self.why = why


def source_of(tenant_id: str) -> str:
    """What the events of a workspace name as their source."""
    return f"/workspaces/{tenant_id}"


def to_cloud_event(event: Told) -> dict[str, Any]:
    """The event as a CloudEvent, ready for JSON; what it does not know is left out."""
    data: dict[str, Any] = {"meter": event.meter, "quantity": plain(event.quantity)}
    for name in _PLACES:
        if (value := getattr(event, name)) is not None:
            data[name] = value
    if event.properties:
        data["properties"] = dict(event.properties)
    made = {
        "specversion": "1.0",
        "type": TYPE,
        "source": source_of(event.tenant_id),
        "id": event.id,
        "time": _instant(event.at),
        "recordedtime": _instant(event.recorded_at),
        "datacontenttype": "application/json",
        "data": data,
    }
    if subject := event.job_id or event.model_version_id:
        made["subject"] = subject
    return made


def line(event: Told) -> bytes:
    """The event written out in the one way in which it is sealed: `canonical(to_cloud_event(event))`.

    Put together by hand, because a ledger is written out event by event, and this takes a third of the time.
    """
    job, key, version, user = event.job_id, event.key_id, event.model_version_id, event.user_id
    subject = job or version
    properties = canonical(event.properties).decode() if event.properties else ""
    return "".join(
        (
            '{"data":{',
            f'"job_id":{_quoted(job)},' if job is not None else "",
            f'"key_id":{_quoted(key)},' if key is not None else "",
            f'"meter":{_quoted(event.meter)},',
            f'"model_version_id":{_quoted(version)},' if version is not None else "",
            f'"properties":{properties},' if properties else "",
            f'"quantity":"{plain(event.quantity)}"',
            f',"user_id":{_quoted(user)}' if user is not None else "",
            f'}},"datacontenttype":"application/json","id":{_quoted(event.id)},',
            f'"recordedtime":"{_instant(event.recorded_at)}",',
            f'"source":{_quoted(source_of(event.tenant_id))},"specversion":"1.0",',
            f'"subject":{_quoted(subject)},' if subject else "",
            f'"time":"{_instant(event.at)}","type":"{TYPE}"}}',
        )
    ).encode()


def canonical(value: Any) -> bytes:
    """JSON with sorted members and without white space, in UTF-8; its numbers are whole."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def plain(quantity: Decimal) -> str:
    """A quantity as text: no exponent, no idle zeros."""
    text = f"{quantity:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _instant(instant: datetime) -> str:
    return f"{instant.astimezone(UTC).isoformat(timespec='microseconds')[:26]}Z"


def read_events(text: bytes) -> list[Any]:
    """The events of a JSON text, in structured or in batched mode; no number becomes a float.

    Raises:
        UnreadableEvents: it is no JSON, or neither an object nor a list.
    """
    try:
        # What JSON does not know (NaN, Infinity) is a quantity that is refused by its own name.
        told = json.loads(text, parse_float=Decimal, parse_constant=Decimal)
    except (ValueError, RecursionError) as error:
        raise UnreadableEvents("they cannot be read") from error
    if isinstance(told, dict):
        return [told]
    if not isinstance(told, list):
        raise UnreadableEvents(f"what was sent is a single {type(told).__name__}")
    return told


def from_cloud_event(sent: Mapping[str, Any], tenant_id: str) -> NewUsage:
    """What a CloudEvent of a workspace says, checked.

    An id counts within its source: with another source than the workspace's own it is kept behind the name
    of its source. Numbers must have been read as Decimal, never as float.

    Raises:
        NotACloudEvent: a member is missing, or is not what it should be.
        UnknownMeter, UnusableQuantity, PropertyMissing: as `NewUsage` says.
    """
    if sent.get("specversion") != "1.0":
        raise NotACloudEvent("specversion must be 1.0")
    if sent.get("type") != TYPE:
        raise NotACloudEvent(f"type must be {TYPE}")
    source, event_id = _text(sent, "source"), _text(sent, "id")
    data = sent.get("data")
    if not isinstance(data, Mapping):
        raise NotACloudEvent("data must be an object")
    properties = data.get("properties", {})
    if not isinstance(properties, Mapping) or not all(
        isinstance(value, str) for value in properties.values()
    ):
        raise NotACloudEvent("data.properties must be an object of texts")
    return NewUsage(
        tenant_id=tenant_id,
        id=event_id if source == source_of(tenant_id) else f"{source}#{event_id}",
        meter=_text(data, "meter"),
        quantity=_quantity(data.get("quantity")),
        at=_time(_text(sent, "time")),
        properties=dict(properties),
        **{name: _text(data, name) for name in _PLACES if data.get(name) is not None},
    )


def _text(sent: Mapping[str, Any], name: str) -> str:
    value = sent.get(name)
    if not isinstance(value, str) or not value or "\x00" in value or len(value) > 400:
        raise NotACloudEvent(f"{name} must be a text of 1 to 400 characters")
    return value


def _quantity(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise NotACloudEvent("data.quantity must be a number, or a text that is one")
    try:
        return Decimal(value)
    except ArithmeticError:
        raise NotACloudEvent(f"data.quantity is {value!r}, which is no number") from None


def _time(value: str) -> datetime:
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        raise NotACloudEvent(f"time is {value!r}, and should look like 2026-11-24T09:30:00Z") from None
    if instant.tzinfo is None:
        raise NotACloudEvent("time needs its offset from UTC, for example a Z at its end")
    return instant
