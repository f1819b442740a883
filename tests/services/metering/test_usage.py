"""A usage event is checked before it exists, and its id is the fact's."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from services.metering.meters import METERS, UnknownMeter
from services.metering.usage import NewUsage, PropertyMissing, UnusableQuantity, seconds, trained_tokens
from tests.services.metering.factories import NOON, predictions, training


@pytest.mark.parametrize(
    "quantity",
    ["-1", "-0.000001", "NaN", "sNaN", "Infinity", "-Infinity", "0.0000001", "1e13", f"0.1{'0' * 40}1"],
)
def test_a_quantity_that_is_no_amount_of_use_is_refused(quantity: str) -> None:
    with pytest.raises(UnusableQuantity):
        training("ten_1", seconds=quantity)


@pytest.mark.parametrize("quantity", [1, 1.5, True, "1"])
def test_a_quantity_of_another_type_is_refused(quantity: object) -> None:
    with pytest.raises(UnusableQuantity):
        NewUsage(tenant_id="ten_1", id="x", meter="predictions", quantity=quantity, at=NOON)  # type: ignore[arg-type]


@pytest.mark.parametrize("quantity", ["0", "0.000001", "1E+3", "1.50000000", "999999999999.999999"])
def test_a_quantity_that_the_ledger_can_hold_is_kept_as_it_is(quantity: str) -> None:
    assert training("ten_1", seconds=quantity).quantity == Decimal(quantity)


def test_an_unknown_meter_is_refused_with_the_meters_there_are() -> None:
    with pytest.raises(UnknownMeter, match="training_seconds, trained_tokens, predictions"):
        NewUsage(tenant_id="ten_1", id="x", meter="coffee", quantity=Decimal(1), at=NOON)


def test_training_without_a_device_class_is_refused() -> None:
    with pytest.raises(PropertyMissing, match="device_class"):
        training("ten_1", device_class="")


def test_a_time_without_time_zone_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="without time zone"):
        predictions("ten_1", at=datetime(2026, 11, 10))  # noqa: DTZ001


def test_ids_are_derived_from_the_fact() -> None:
    assert training("ten_1", job_id="job_7").id == "job:job_7:training"
    assert (
        trained_tokens(tenant_id="ten_1", job_id="job_7", tokens=5, at=NOON).id == "job:job_7:trained_tokens"
    )
    assert predictions("ten_1", request_id="req_7").id == "req:req_7"


def test_a_duration_is_cut_to_milliseconds_in_the_customers_favour() -> None:
    assert seconds(timedelta(seconds=61, microseconds=999_999)) == Decimal("61.999")


def test_every_meter_is_found_by_its_own_name_and_says_what_it_counts() -> None:
    for name, meter in METERS.items():
        assert meter.name == name
        assert meter.counts.endswith(".")
