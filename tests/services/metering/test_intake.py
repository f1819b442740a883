"""A batch from elsewhere: what is right is kept, what is wrong is named, and sending again is safe."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from services import clock, ids
from services.accounts.scope import Member
from services.metering.cloudevents import TYPE, source_of
from services.metering.intake import AHEAD, OLDEST, receive
from services.metering.tables import UsageEvent
from tests import factories


def sent(member: Member, **changes: Any) -> dict[str, Any]:
    data = {"meter": "predictions", "quantity": "3", "model_version_id": "mv_1"}
    event = {
        "specversion": "1.0",
        "type": TYPE,
        "source": source_of(member.tenant_id),
        "id": ids.new("request"),
        "time": clock.now().isoformat(),
        "data": data | changes.pop("data", {}),
    }
    return event | changes


def kept(session: Session, member: Member) -> list[str]:
    return sorted(session.exec(select(UsageEvent.id).where(col(UsageEvent.tenant_id) == member.tenant_id)))


def wrong(member: Member) -> dict[str, dict[str, Any]]:
    """A wrong event for each code."""
    now = clock.now()
    return {
        "usage_from_the_future": sent(member, time=(now + AHEAD + timedelta(minutes=1)).isoformat()),
        "usage_too_old": sent(member, time=(now - OLDEST - timedelta(minutes=1)).isoformat()),
        "unusable_quantity": sent(member, data={"quantity": "-1"}),
        "unknown_meter": sent(member, data={"meter": "coffee"}),
        "usage_property_missing": sent(member, data={"meter": "training_seconds"}),
        "not_a_cloud_event": sent(member, specversion="2.0"),
    }


def test_right_ones_are_kept_and_wrong_ones_are_named(session: Session, member: Member) -> None:
    good = [sent(member), sent(member)]
    bad = wrong(member)

    received = receive(session, member, batch=[good[0], *bad.values(), good[1]])

    assert (received.inserted, received.duplicates) == (2, 0)
    assert [one.error.code for one in received.refused] == list(bad)
    assert [(one.position, one.id) for one in received.refused] == [
        (place, event["id"]) for place, event in enumerate(bad.values(), start=1)
    ]
    assert kept(session, member) == sorted(event["id"] for event in good)


@pytest.mark.parametrize("quantity", ["-0.000001", "NaN", "sNaN", "Infinity", "0.0000001"])
def test_a_quantity_that_is_no_amount_of_use_is_refused(
    session: Session, member: Member, quantity: str
) -> None:
    [refused] = receive(session, member, batch=[sent(member, data={"quantity": quantity})]).refused

    assert refused.error.code == "unusable_quantity"


def test_the_whole_batch_may_be_sent_again(session: Session, member: Member) -> None:
    good, late = sent(member), sent(member, time=(clock.now() - OLDEST * 2).isoformat())
    receive(session, member, batch=[good, late])
    corrected = late | {"time": clock.now().isoformat()}

    received = receive(session, member, batch=[good, corrected])

    assert (received.inserted, received.duplicates, received.refused) == (1, 1, [])
    assert len(kept(session, member)) == 2


def test_an_id_that_comes_twice_in_a_batch_counts_once(session: Session, member: Member) -> None:
    event = sent(member)

    received = receive(session, member, batch=[event, event, event])

    assert (received.inserted, received.duplicates, received.refused) == (1, 2, [])


@pytest.mark.parametrize("batches", [1, 2])
def test_another_fact_under_a_known_id_is_refused_and_not_swallowed(
    session: Session, member: Member, batches: int
) -> None:
    event = sent(member)
    other = event | {"data": event["data"] | {"quantity": "4"}}
    if batches == 2:
        receive(session, member, batch=[event])

    received = receive(session, member, batch=[event, other])

    assert received.inserted + received.duplicates == 1
    assert [(one.position, one.error.code) for one in received.refused] == [(1, "usage_told_differently")]


@pytest.mark.parametrize("nonsense", ["text", 7, None, [], {}])
def test_what_is_no_object_is_named_by_its_position(
    session: Session, member: Member, nonsense: object
) -> None:
    received = receive(session, member, batch=[sent(member), nonsense])  # type: ignore[list-item]

    assert received.inserted == 1
    assert [(one.position, one.id, one.error.code) for one in received.refused] == [
        (1, None, "not_a_cloud_event")
    ]


def test_the_door_decides_whose_use_it_is(session: Session, member: Member) -> None:
    other = factories.create_member(session)

    receive(session, member, batch=[sent(other)])

    assert kept(session, other) == []
    assert len(kept(session, member)) == 1
