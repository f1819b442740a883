"""What the same use would have come to on every plan that is sold."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from services.accounts.scope import Member
from services.billing import catalogue, profiles
from services.billing.money import Money
from services.billing.period import Month
from services.billing.plans import NotSold, Plan
from services.billing.rating import draft
from services.billing.subscriptions import current_plan
from services.billing.taxation import Taxes
from services.metering import service as metering
from services.metering.usage import Use


@dataclass(frozen=True, slots=True)
class OnPlan:
    """A month's use and fee on a plan, before discounts, credit and tax; `current` is the one it was on."""

    title: str
    amount: Money
    current: bool


def on_every_plan(session: Session, member: Member, *, month: Month) -> list[OnPlan]:
    """A month's use on each plan in the workspace's currency, the cheapest first.

    Each plan at its last version, with a whole month's fee. One that does not sell all that was used is left
    out.
    """
    uses = metering.uses(session, member, first=month.first, last=month.last)
    taxes = profiles.taxes(session, member)
    current = current_plan(session, member)
    found = []
    for versions in catalogue.plans(session).values():
        plan = versions[-1]
        if plan.currency == current.currency and (cost := _cost(plan, uses, month, taxes)) is not None:
            found.append(OnPlan(plan.title, cost, plan.name == current.name))
    return sorted(found, key=lambda one: (one.amount.micros, not one.current))


def _cost(plan: Plan, uses: Sequence[Use], month: Month, taxes: Taxes) -> Money | None:
    try:
        figures = draft(uses, versions=[plan], taxes=taxes, period=(month.first, month.last))
    except (NotSold, LookupError):
        return None
    return figures.subtotal + plan.fee if plan.fee is not None else figures.subtotal
