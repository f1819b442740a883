"""What a workspace wants to spend in a month: told at thresholds, and stopped before the spend."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col

from services import clock, webhooks
from services.accounts import audit
from services.accounts.scope import Member, Role, owned
from services.accounts.service import get_tenant, lock_tenant_to_bill
from services.accounts.team import checked_email
from services.billing.calendars import this_month
from services.billing.credits import credit_left, on_trial
from services.billing.drafting import rated
from services.billing.errors import BudgetReached, CreditSpent, UnusableBudget
from services.billing.money import Money
from services.billing.tables import Budget, BudgetAlert

USUAL_THRESHOLDS = (50, 80, 100)


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget at this moment: the month's spend, before credit and tax, and what is left of the amount."""

    budget: Money
    spent: Money
    left: Money
    hard_stop: bool


def budget_of(session: Session, member: Member) -> Budget | None:
    """The workspace's budget; None where it has none."""
    return session.exec(owned(Budget, member)).one_or_none()


def set_budget(
    session: Session,
    member: Member,
    *,
    amount: Money,
    thresholds: Sequence[int] = USUAL_THRESHOLDS,
    hard_stop: bool = False,
    emails: Sequence[str] = (),
    webhook_url: str = "",
) -> Budget:
    """Set the budget of every month from now on.

    Raises:
        UnusableBudget: below zero, in another currency, or with thresholds that are none.
        BadEmail, UnusableWebhook: nobody can be told there.
    """
    member.require(Role.billing)
    tenant = lock_tenant_to_bill(session, member)
    if amount.micros < 0 or amount.currency != tenant.currency:
        raise UnusableBudget(f"an amount in {tenant.currency} of zero or more is needed.")
    if list(thresholds) != sorted(set(thresholds)) or not all(1 <= each <= 1000 for each in thresholds):
        raise UnusableBudget("thresholds are whole percentages from 1 to 1000 that rise.")
    kept = budget_of(session, member) or Budget(tenant_id=member.tenant_id, amount=0, thresholds=[])
    kept.amount, kept.thresholds, kept.hard_stop = amount.micros, list(thresholds), hard_stop
    kept.emails = [checked_email(email) for email in emails]
    kept.webhook_url = webhooks.checked(webhook_url) if webhook_url.strip() else ""
    kept.webhook_secret = kept.webhook_secret or webhooks.new_secret()
    kept.updated_at = clock.now()
    session.add(kept)
    session.flush()
    audit.record(session, member, "budget.set", member.tenant_id, amount=amount.micros, hard_stop=hard_stop)
    return kept


def clear_budget(session: Session, member: Member) -> None:
    """Go on without a budget."""
    member.require(Role.billing)
    if kept := budget_of(session, member):
        session.delete(kept)
        session.flush()
        audit.record(session, member, "budget.cleared", member.tenant_id)


def standing(session: Session, member: Member) -> Standing | None:
    """How the month stands against the budget; None where there is none."""
    kept = budget_of(session, member)
    if kept is None:
        return None
    amount = Money(kept.amount, get_tenant(session, member).currency)
    spent = rated(session, member, this_month(session, member), ()).subtotal
    return Standing(budget=amount, spent=spent, left=amount - spent, hard_stop=kept.hard_stop)


def free_to_spend(session: Session, member: Member) -> Money | None:
    """What use may come to before it is stopped, by a trial's credit or a budget; None: it is not stopped."""
    bounds = []
    if on_trial(session, member):
        bounds.append(credit_left(session, member))
    if (month := standing(session, member)) and month.hard_stop:
        bounds.append(month.left)
    return min(bounds, default=None)


def require_funds(session: Session, member: Member, *, needed: Money, reserved: Money) -> None:
    """Go on only where the workspace may spend what is about to be used.

    `needed` is the most it can cost, `reserved` the quoted maximum of the workspace's open jobs. Who decides
    by this holds the workspace's lock (`accounts.lock_tenant`), or two could spend the same money.

    Raises:
        CreditSpent: it is on trial, and the credit that is free does not cover it.
        BudgetReached: its own budget has a hard stop, and what is free of it does not cover it.
    """
    if on_trial(session, member):
        left = credit_left(session, member)
        free = left - reserved
        if free.micros <= 0 or free < needed:
            raise CreditSpent(left=left, reserved=reserved, needed=needed)
    month = standing(session, member)
    if month is not None and month.hard_stop and month.left - reserved < max(needed, _coin(needed)):
        raise BudgetReached(budget=month.budget, spent=month.spent, reserved=reserved, needed=needed)


def _coin(amount: Money) -> Money:
    # Where nothing at all is left, also use that costs less than a coin is stopped.
    return Money(1, amount.currency)


def note_alerts(session: Session, member: Member) -> list[BudgetAlert]:
    """Note each threshold that the month has reached, once; gives those nobody was told of yet."""
    if budget_of(session, member) is None:
        return []
    lock_tenant_to_bill(session, member)
    kept, now = budget_of(session, member), standing(session, member)
    if kept is None or now is None:
        return []
    month = str(this_month(session, member))
    of_month = owned(BudgetAlert, member).where(BudgetAlert.month == month, BudgetAlert.amount == kept.amount)
    known = {alert.threshold: alert for alert in session.exec(of_month)}
    for threshold in kept.thresholds:
        if threshold not in known and now.spent.micros * 100 >= kept.amount * threshold:
            known[threshold] = BudgetAlert(
                tenant_id=member.tenant_id,
                month=month,
                threshold=threshold,
                amount=kept.amount,
                spent=now.spent.micros,
            )
            session.add(known[threshold])
    session.flush()
    return sorted((a for a in known.values() if a.sent_at is None), key=lambda alert: alert.threshold)


def alerts(session: Session, member: Member) -> list[BudgetAlert]:
    """The thresholds reached this month, the highest first, for the pages."""
    month = str(this_month(session, member))
    of_month = owned(BudgetAlert, member).where(BudgetAlert.month == month)
    return list(session.exec(of_month.order_by(col(BudgetAlert.threshold).desc())))
