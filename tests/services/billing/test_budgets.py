"""A budget tells at its thresholds, and stops before the spend where it is to."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from sqlmodel import Session

from services.accounts import service as accounts
from services.accounts.scope import Member, Role, RoleMissing
from services.billing import budgets, subscriptions
from services.billing import service as billing
from services.billing.budgets import alerts, note_alerts, set_budget, standing
from services.billing.errors import BudgetReached
from services.billing.money import Money
from services.db import transaction
from services.errors import ServiceError
from tests import factories
from tests.services.billing.factories import Clock, record, travel


def euros(amount: str) -> Money:
    return Money(int(Decimal(amount) * 10**6), "EUR")


ZERO = euros("0")


@pytest.fixture
def paying(session: Session, member: Member, clock: Clock) -> Member:
    travel(clock, "2026-11-10T12:00")
    subscriptions.subscribe(session, member, plan="pay-as-you-go")
    return member


def test_without_a_budget_nothing_stops_who_pays(session: Session, paying: Member) -> None:
    assert billing.free_to_spend(session, paying) is None
    assert standing(session, paying) is None

    billing.require_funds(session, paying, needed=euros("1000000"), reserved=ZERO)


def test_a_hard_stop_comes_before_the_spend(session: Session, paying: Member) -> None:
    set_budget(session, paying, amount=euros("10"), hard_stop=True)
    record(session, paying, texts=30_000)

    assert billing.free_to_spend(session, paying) == euros("4")
    billing.require_funds(session, paying, needed=euros("1"), reserved=euros("3"))
    with pytest.raises(BudgetReached) as refused:
        billing.require_funds(session, paying, needed=euros("1.01"), reserved=euros("3"))
    assert refused.value.spent == euros("6")
    assert "6.00 EUR is spent, and open jobs hold 3.00 EUR" in refused.value.message


def test_where_nothing_is_left_even_less_than_a_coin_is_refused(session: Session, paying: Member) -> None:
    set_budget(session, paying, amount=euros("6"), hard_stop=True)
    record(session, paying, texts=30_000)

    with pytest.raises(BudgetReached):
        billing.require_funds(session, paying, needed=ZERO, reserved=ZERO)


def test_a_soft_budget_stops_nothing(session: Session, paying: Member) -> None:
    set_budget(session, paying, amount=euros("1"))
    record(session, paying, texts=30_000)

    billing.require_funds(session, paying, needed=euros("5"), reserved=ZERO)
    now = standing(session, paying)
    assert now is not None
    assert (now.spent, now.left) == (euros("6"), euros("-5"))


def test_of_a_trial_and_a_budget_the_nearer_end_counts(
    session: Session, member: Member, clock: Clock
) -> None:
    travel(clock, "2026-11-10T12:00")
    billing.grant_trial(session, member)
    set_budget(session, member, amount=euros("3"), hard_stop=True)

    assert billing.free_to_spend(session, member) == euros("3")


def test_each_threshold_is_noted_once_a_month_and_again_for_another_budget(
    session: Session, paying: Member, clock: Clock
) -> None:
    set_budget(session, paying, amount=euros("10"), thresholds=(50, 80, 100))
    record(session, paying, texts=30_000)
    assert [alert.threshold for alert in note_alerts(session, paying)] == [50]

    record(session, paying, texts=10_000)
    unsent = note_alerts(session, paying)
    assert [alert.threshold for alert in unsent] == [50, 80]
    for alert in unsent:
        alert.sent_at = alert.reached_at
    assert note_alerts(session, paying) == []

    set_budget(session, paying, amount=euros("16"), thresholds=(50, 100))
    assert [(alert.threshold, alert.spent) for alert in note_alerts(session, paying)] == [(50, 8_000_000)]
    travel(clock, "2026-12-01T12:00")
    assert note_alerts(session, paying) == []
    assert alerts(session, paying) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount": euros("-1")}, "unusable_budget"),
        ({"amount": Money(1, "USD")}, "unusable_budget"),
        ({"thresholds": (80, 50)}, "unusable_budget"),
        ({"thresholds": (0, 50)}, "unusable_budget"),
        ({"thresholds": (50, 50)}, "unusable_budget"),
        ({"emails": ("nobody",)}, "bad_email"),
        ({"webhook_url": "ftp://example.com"}, "unusable_webhook"),
        ({"webhook_url": "https://user@localhost/"}, "unusable_webhook"),
    ],
)
def test_a_budget_that_cannot_be_kept_is_refused(
    session: Session, paying: Member, changes: dict[str, object], code: str
) -> None:
    with pytest.raises(ServiceError) as refused:
        set_budget(session, paying, **({"amount": euros("10")} | changes))  # type: ignore[arg-type]

    assert refused.value.code == code
    assert budgets.budget_of(session, paying) is None


def test_who_looks_after_billing_sets_the_budget(session: Session, paying: Member) -> None:
    editor = factories.create_member(session, tenant_id=paying.tenant_id, role=Role.editor)

    with pytest.raises(RoleMissing):
        set_budget(session, editor, amount=euros("10"))


def test_orders_at_the_same_instant_do_not_spend_the_same_budget(live_database: str, clock: Clock) -> None:
    travel(clock, "2026-11-10T12:00")
    with transaction() as session:
        member = factories.create_member(session)
        subscriptions.subscribe(session, member, plan="pay-as-you-go")
        set_budget(session, member, amount=euros("5"), hard_stop=True)
    start = Barrier(6)

    def spend(number: int) -> bool:
        start.wait()
        try:
            with transaction() as session:
                accounts.lock_tenant(session, member)
                billing.require_funds(session, member, needed=euros("2"), reserved=ZERO)
                record(session, member, seconds="1000", job_id=f"job_{number}")
        except BudgetReached:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        spent = list(pool.map(spend, range(6)))

    # Each spends 2 of the 5.
    assert sum(spent) == 2
