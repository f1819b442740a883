"""One plan at a time, and a preview that equals the charge."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from services.accounts.scope import Member, Role, RoleMissing, Staff, StaffRole
from services.accounts.tables import Tenant
from services.billing import catalogue, subscriptions
from services.billing import service as billing
from services.billing.drafting import draft_month
from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.money import Money, total
from services.billing.period import Month
from services.billing.tables import Subscription
from services.billing.timeline import Stay, fees, schedule
from services.clock import now
from services.errors import ServiceError
from tests import factories
from tests.services.billing.factories import Clock, day, record, travel

TEAM = replace(PAY_AS_YOU_GO, name="team", title="Team", fee=Money(10_000_000, "EUR"))
GROWTH = replace(PAY_AS_YOU_GO, name="growth", title="Growth", fee=Money(20_000_000, "EUR"))
SOLD = {plan.name: (plan,) for plan in (PAY_AS_YOU_GO, TEAM, GROWTH)}
NOVEMBER = Month(2026, 11)
ADA = Staff(user_id="ada", role=StaffRole.admin)


@pytest.fixture
def sold(session: Session, clock: Clock) -> None:
    travel(clock, "2026-11-01T00:00")
    for plan in (TEAM, GROWTH):
        catalogue.publish(session, ADA, plan)


def amounts(*plans: tuple[str, str]) -> list[Decimal]:
    """The fees of November for somebody who goes to these plans at these instants."""
    instants = [datetime.fromisoformat(at).replace(tzinfo=UTC) for _, at in plans]
    ends = [*instants[1:], None]
    stays = [Stay(plan, at, end) for (plan, _), at, end in zip(plans, instants, ends, strict=True)]
    return [charge.amount.amount for charge in fees(stays, SOLD, NOVEMBER, "UTC")]


def test_a_whole_month_costs_the_fee_and_a_part_its_part() -> None:
    assert amounts(("team", "2026-10-05")) == [10]
    assert amounts(("team", "2026-11-16")) == [5]
    assert amounts(("team", "2026-11-21")) == [Decimal("3.33")]
    assert amounts(("team", "2026-12-01")) == []
    assert amounts(("pay-as-you-go", "2026-10-05")) == []


def test_a_change_gives_back_what_is_unused_and_takes_what_is_left() -> None:
    assert amounts(("team", "2026-10-05"), ("growth", "2026-11-16")) == [10, -5, 10]
    assert amounts(("growth", "2026-10-05"), ("team", "2026-11-16")) == [20, -10, 5]
    assert amounts(("team", "2026-11-04"), ("growth", "2026-11-10")) == [9, -7, 14]


@given(st.lists(st.integers(1, 30 * 86_400 - 1), min_size=1, max_size=5, unique=True))
def test_going_to_and_fro_costs_no_more_than_the_dearest_and_no_less_than_the_cheapest(
    seconds: list[int],
) -> None:
    start = NOVEMBER.start("UTC")
    edges = [start, *(start + timedelta(seconds=second) for second in sorted(seconds)), None]
    stays = [
        Stay(("team", "growth")[position % 2], begin, end)
        for position, (begin, end) in enumerate(pairwise(edges))
        if begin is not None
    ]

    whole = total((charge.amount for charge in fees(stays, SOLD, NOVEMBER, "UTC")), "EUR")

    # A leg may be a cent off.
    assert Money(10_000_000 - 60_000, "EUR") <= whole <= Money(20_000_000 + 60_000, "EUR")


def test_a_day_is_rated_by_the_plan_that_it_ends_on_and_by_the_version_in_force() -> None:
    dearer = replace(TEAM, version=2, valid_from=day(20))
    noon = datetime(2026, 11, 10, 12, tzinfo=UTC)
    stays = [
        Stay("pay-as-you-go", datetime(2026, 10, 1, tzinfo=UTC), noon),
        Stay("team", noon, None),
    ]

    found = schedule(stays, {"pay-as-you-go": (PAY_AS_YOU_GO,), "team": (TEAM, dearer)}, "UTC")

    assert [(plan.edition, plan.valid_from) for plan in found] == [
        ("pay-as-you-go.v1", PAY_AS_YOU_GO.valid_from),
        ("team.v1", day(10)),
        ("team.v2", day(20)),
    ]


def test_two_plans_at_one_time_are_refused(session: Session, member: Member, sold: None) -> None:
    subscriptions.subscribe(session, member, plan="team")

    with pytest.raises(ServiceError) as refused:
        subscriptions.subscribe(session, member, plan="growth")
    assert refused.value.code == "already_subscribed"
    session.add(Subscription(tenant_id=member.tenant_id, plan="growth", starts_at=now() + timedelta(1)))
    with pytest.raises(IntegrityError):
        session.flush()


def test_the_preview_is_the_charge(session: Session, member: Member, sold: None, clock: Clock) -> None:
    subscriptions.subscribe(session, member, plan="team")
    travel(clock, "2026-11-13T07:21:09")
    seen = subscriptions.preview(session, member, plan="growth")
    before = draft_month(session, member, NOVEMBER).subtotal

    clock.advance(600)
    assert subscriptions.preview(session, member, plan="growth", at=seen.at) == seen
    subscriptions.change(session, member, plan="growth", at=seen.at)

    figures = draft_month(session, member, NOVEMBER)
    assert [charge.amount for charge in figures.charges[1:]] == [-seen.legs.credit, seen.legs.debit]
    assert figures.subtotal - before == seen.legs.net
    assert subscriptions.current_plan(session, member).edition == GROWTH.edition


def test_a_preview_is_not_confirmed_for_ever(
    session: Session, member: Member, sold: None, clock: Clock
) -> None:
    subscriptions.subscribe(session, member, plan="team")
    clock.advance(60)
    seen = subscriptions.preview(session, member, plan="growth")
    clock.advance(16 * 60)

    for at in (seen.at, now() + timedelta(seconds=5)):
        with pytest.raises(ServiceError) as refused:
            subscriptions.change(session, member, plan="growth", at=at)
        assert refused.value.code == "preview_too_old"


def test_a_plan_in_another_currency_is_refused(session: Session, sold: None) -> None:
    tenant = factories.create_tenant(session, currency="JPY")
    member = factories.create_member(session, tenant_id=tenant.id)

    with pytest.raises(ServiceError) as refused:
        subscriptions.subscribe(session, member, plan="team")

    assert refused.value.code == "currency_differs"
    assert subscriptions.offered(session, member) == []


@pytest.mark.parametrize(
    ("currency", "fee", "half"), [("JPY", 1004, "502"), ("KWD", 10, "5.000"), ("USD", 11, "5.50")]
)
def test_a_workspace_is_billed_in_its_currency_to_its_own_coin(
    session: Session, sold: None, clock: Clock, currency: str, fee: int, half: str
) -> None:
    plan = replace(TEAM, name=currency, currency=currency, fee=Money(fee * 10**6, currency))
    catalogue.publish(session, ADA, plan)
    tenant = factories.create_tenant(session, currency=currency, time_zone="Asia/Tokyo")
    member = factories.create_member(session, tenant_id=tenant.id)
    travel(clock, "2026-11-15T15:00")
    subscriptions.subscribe(session, member, plan=currency)
    record(session, member, texts=7_777)

    figures = draft_month(session, member, NOVEMBER)

    assert [str(charge.amount) for charge in figures.charges] == [f"{half} {currency}"]
    assert {line.amount.currency for line in figures.lines} == {currency}
    assert figures.total.micros % 10 ** (6 - {"JPY": 0, "KWD": 3, "USD": 2}[currency]) == 0


def test_who_may_not_spend_may_not_change_the_plan(session: Session, member: Member, sold: None) -> None:
    editor = factories.create_member(session, tenant_id=member.tenant_id, role=Role.editor)

    with pytest.raises(RoleMissing):
        subscriptions.change(session, editor, plan="team", at=now())


def test_a_trial_that_changes_its_plan_pays_from_then_on(
    session: Session, member: Member, sold: None, clock: Clock
) -> None:
    billing.grant_trial(session, member)
    travel(clock, "2026-11-16T00:00")
    seen = subscriptions.preview(session, member, plan="team")

    subscriptions.change(session, member, plan="team", at=seen.at)

    assert (seen.legs.credit.amount, seen.legs.debit.amount) == (0, 5)
    assert not billing.on_trial(session, member)
    tenant = session.get(Tenant, member.tenant_id)
    assert tenant is not None
    assert tenant.running_job_limit == TEAM.limits.running_jobs
