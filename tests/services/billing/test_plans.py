"""Plans say of every meter whether it is sold."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.billing.money import MINOR_DIGITS
from services.billing.plans import CATALOGUE, PAY_AS_YOU_GO, NotSold, Plan, in_force
from services.metering.meters import METERS

ALL = [version for versions in CATALOGUE.values() for version in versions]


@pytest.mark.parametrize("plan", ALL, ids=lambda plan: f"{plan.name} v{plan.version}")
def test_a_plan_sells_or_includes_every_meter_on_every_device(plan: Plan) -> None:
    for meter in METERS:
        for device in ("cpu", "cuda"):
            plan.price_of(meter, {"device_class": device})


@pytest.mark.parametrize("plan", ALL, ids=lambda plan: f"{plan.name} v{plan.version}")
def test_no_two_prices_of_a_plan_cover_the_same_use(plan: Plan) -> None:
    for price in plan.prices:
        assert [other.key for other in plan.prices if other.covers(price.meter, price.where)] == [price.key]


@pytest.mark.parametrize("name", CATALOGUE)
def test_versions_of_a_plan_follow_one_another_in_one_currency(name: str) -> None:
    versions = CATALOGUE[name]

    assert [version.version for version in versions] == list(range(1, len(versions) + 1))
    assert [v.valid_from for v in versions] == sorted({v.valid_from for v in versions})
    assert {version.name for version in versions} == {name}
    assert len({version.currency for version in versions} & MINOR_DIGITS.keys()) == 1


def test_use_that_the_plan_says_nothing_about_is_an_error_and_no_present() -> None:
    with pytest.raises(NotSold):
        PAY_AS_YOU_GO.price_of("training_seconds", {"device_class": "tpu"})
    with pytest.raises(NotSold):
        replace(PAY_AS_YOU_GO, included=frozenset()).price_of("trained_tokens", {})


def test_the_version_in_force_is_the_newest_that_has_begun() -> None:
    second = replace(PAY_AS_YOU_GO, version=2, valid_from=date(2027, 1, 1))
    versions = (PAY_AS_YOU_GO, second)

    assert in_force(versions, date(2026, 12, 31)) is PAY_AS_YOU_GO
    assert in_force(versions, date(2027, 1, 1)) is second
    with pytest.raises(LookupError):
        in_force(versions, PAY_AS_YOU_GO.valid_from - timedelta(days=1))
