"""Plans say of every meter whether it is sold."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from services.accounts.scope import Member, Staff, StaffOnly, StaffRole
from services.billing import catalogue
from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.plans import NotSold, Plan, from_json, in_force, to_json
from services.billing.pricing import GraduatedPrice
from services.billing.subscriptions import current_plan
from services.billing.tiers import Tier
from services.clock import now
from services.errors import ServiceError
from services.metering.meters import METERS


def test_the_first_plan_is_what_the_database_begins_with(session: Session) -> None:
    assert catalogue.versions(session, PAY_AS_YOU_GO.name) == (PAY_AS_YOU_GO,)
    assert from_json(to_json(PAY_AS_YOU_GO)) == PAY_AS_YOU_GO


def test_the_first_plan_sells_or_includes_every_meter_on_every_device_once() -> None:
    for meter in METERS:
        for device in ("cpu", "cuda"):
            PAY_AS_YOU_GO.price_of(meter, {"device_class": device})
    for price in PAY_AS_YOU_GO.prices:
        covering = [other.key for other in PAY_AS_YOU_GO.prices if other.covers(price.meter, price.where)]
        assert covering == [price.key]


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


ADA = Staff(user_id="ada", role=StaffRole.admin)
TIERED = GraduatedPrice(tiers=(Tier(unit_amount=Decimal(1)),), flat_at_zero=False)
UNSTEADY = (replace(PAY_AS_YOU_GO.prices[0], price=TIERED), *PAY_AS_YOU_GO.prices[1:])


def next_version(**changes: object) -> Plan:
    fields = {"valid_from": now().date() + timedelta(days=30)}
    return replace(PAY_AS_YOU_GO, **(fields | changes))  # type: ignore[arg-type]


def test_a_new_version_gets_the_next_number_and_rates_from_its_day_on(
    session: Session, member: Member
) -> None:
    published = catalogue.publish(session, ADA, next_version(title="Dearer"))

    assert published.version == 2
    assert catalogue.versions(session, PAY_AS_YOU_GO.name) == (PAY_AS_YOU_GO, published)
    assert current_plan(session, member) == PAY_AS_YOU_GO


def test_only_admins_publish(session: Session) -> None:
    with pytest.raises(StaffOnly):
        catalogue.publish(session, Staff(user_id="sam", role=StaffRole.sales), next_version())


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"valid_from": date(2026, 1, 2)}, "plan_begins_too_early"),
        ({"currency": "USD"}, "plan_currency_fixed"),
        ({"included": frozenset()}, "plan_forgets_meter"),
        ({"prices": UNSTEADY}, "price_not_steady"),
    ],
)
def test_a_version_that_cannot_follow_is_refused(
    session: Session, changes: dict[str, object], code: str
) -> None:
    with pytest.raises(ServiceError) as refused:
        catalogue.publish(session, ADA, next_version(**changes))

    assert refused.value.code == code
    assert len(catalogue.versions(session, PAY_AS_YOU_GO.name)) == 1


@pytest.mark.parametrize("statement", ["UPDATE plan_version SET version = 9", "DELETE FROM plan_version"])
def test_the_database_itself_keeps_a_published_version(session: Session, statement: str) -> None:
    with pytest.raises(IntegrityError, match="illegal change of plan_version"):
        session.execute(text(statement))


def test_an_unknown_plan_is_refused(session: Session) -> None:
    with pytest.raises(ServiceError) as refused:
        catalogue.versions(session, "unheard-of")

    assert refused.value.code == "unknown_plan"
