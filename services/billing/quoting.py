"""What something costs before it is done, or once it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlmodel import Session

from services.accounts.scope import Member
from services.billing.money import Money, rounded
from services.billing.plans import Plan
from services.billing.pricing import rate
from services.billing.subscriptions import current_plan
from services.metering.meters import GENERATED_TOKENS, PREDICTIONS, TRAINING_SECONDS


@dataclass(frozen=True, slots=True)
class Quote:
    """What a job will take and cost, between two figures; beyond the high one nothing is billed."""

    seconds_low: int
    seconds_high: int
    low: Money
    high: Money


def quote(
    session: Session, member: Member, *, seconds_low: int, seconds_high: int, device_class: str
) -> Quote:
    """The price range of training between so many device-seconds, at today's prices."""
    low, high = (
        training_charge(session, member, seconds=Decimal(seconds), device_class=device_class)
        for seconds in (seconds_low, seconds_high)
    )
    return Quote(seconds_low, seconds_high, low, high)


def training_charge(session: Session, member: Member, *, seconds: Decimal, device_class: str) -> Money:
    """What so many device-seconds of one job cost at today's prices, as its invoice line will say."""
    return charged(
        current_plan(session, member), TRAINING_SECONDS.name, {"device_class": device_class}, seconds
    )


def predictions_charge(session: Session, member: Member, *, texts: int) -> Money:
    """What so many predictions of one day and model cost at today's prices."""
    return charged(current_plan(session, member), PREDICTIONS.name, {}, Decimal(texts))


def generation_charge(session: Session, member: Member, *, tokens: int) -> Money:
    """What so many generated tokens of one day and model cost at today's prices."""
    return charged(current_plan(session, member), GENERATED_TOKENS.name, {}, Decimal(tokens))


def charged(plan: Plan, meter: str, properties: Mapping[str, str], quantity: Decimal) -> Money:
    """What a quantity costs as the only line of its price; nothing where the plan includes it."""
    sold = plan.price_of(meter, properties)
    return rounded(rate(sold.price, quantity) if sold else Decimal(0), plan.currency)
