"""What is sold: plans, their versions and their prices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from services.billing.money import MICROS, Money
from services.billing.pricing import Begun, PackagePrice, Price, UnitPrice
from services.billing.taxation import TaxCode
from services.metering.meters import (
    GENERATED_TOKENS,
    PREDICTIONS,
    STORED_GB_HOURS,
    TRAINED_TOKENS,
    TRAINING_SECONDS,
)


class LinePer(StrEnum):
    """What an invoice has one line for."""

    subject = "subject"  # a job
    day_and_subject = "day_and_subject"  # a day's predictions of a model version


@dataclass(frozen=True, slots=True)
class PlanPrice:
    """The price of a meter, or of that part of it whose events have the properties of `where`."""

    key: str
    title: str
    meter: str
    price: Price
    line_per: LinePer
    where: Mapping[str, str]
    tax_code: TaxCode = TaxCode.standard

    def covers(self, meter: str, properties: Mapping[str, str]) -> bool:
        """Is use of this meter with these properties sold at this price?"""
        return meter == self.meter and all(properties.get(name) == word for name, word in self.where.items())


@dataclass(frozen=True, slots=True)
class Limits:
    """What a workspace on a plan may ask of the queue."""

    running_jobs: int
    open_jobs: int
    # Of one attempt of a job.
    runtime: timedelta
    # Turns beside others while both have jobs waiting (see jobs/fairness.py).
    share_weight: int


@dataclass(frozen=True, slots=True)
class Trial:
    """What a new workspace may use before it pays."""

    credit: Money
    valid: timedelta
    limits: Limits


class NotSold(LookupError):
    """The plan has no price for what was used: a mistake in the plan, never use for nothing."""

    def __init__(self, plan: str, meter: str, properties: Mapping[str, str]) -> None:
        super().__init__(f"the plan {plan} neither sells nor includes {meter} with {dict(properties)}")
        self.plan, self.meter, self.properties = plan, meter, properties


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of a plan; use is rated by the version in force on its day."""

    name: str
    title: str
    version: int
    valid_from: date
    currency: str
    prices: tuple[PlanPrice, ...]
    # Meters that are shown and cost nothing, so that a forgotten price is an error and not a present.
    included: frozenset[str]
    limits: Limits
    trial: Trial
    # Of a calendar month, billed with its use; a part of a month costs its part.
    fee: Money | None = None

    @property
    def edition(self) -> str:
        """Name and version: what tells one set of prices from every other."""
        return f"{self.name}.v{self.version}"

    def price_of(self, meter: str, properties: Mapping[str, str]) -> PlanPrice | None:
        """The price of some use; None when the plan includes it.

        Raises:
            NotSold: the plan says nothing about it.
        """
        for price in self.prices:
            if price.covers(meter, properties):
                return price
        if meter in self.included:
            return None
        raise NotSold(self.name, meter, properties)


_TRAINING_CPU = PlanPrice(
    key="training.cpu",
    title="Training on CPU",
    meter=TRAINING_SECONDS.name,
    where={"device_class": "cpu"},
    price=UnitPrice(amount=Decimal("0.001")),  # 3.60 an hour
    line_per=LinePer.subject,
)
_TRAINING_CUDA = PlanPrice(
    key="training.cuda",
    title="Training on GPU",
    meter=TRAINING_SECONDS.name,
    where={"device_class": "cuda"},
    price=UnitPrice(amount=Decimal("0.002")),  # 7.20 an hour
    line_per=LinePer.subject,
)
_PREDICTIONS = PlanPrice(
    key="predictions",
    title="Predictions",
    meter=PREDICTIONS.name,
    where={},
    price=PackagePrice(amount=Decimal("0.20"), size=1000, begun=Begun.in_proportion),
    line_per=LinePer.day_and_subject,
)
_GENERATED_TOKENS = PlanPrice(
    key="generated_tokens",
    title="Generated tokens",
    meter=GENERATED_TOKENS.name,
    where={},
    price=PackagePrice(amount=Decimal("2.00"), size=1_000_000, begun=Begun.in_proportion),
    line_per=LinePer.day_and_subject,
)

PAY_AS_YOU_GO = Plan(
    name="pay-as-you-go",
    title="Pay as you go",
    version=1,
    valid_from=date(2026, 1, 1),
    currency="EUR",
    prices=(_TRAINING_CPU, _TRAINING_CUDA, _PREDICTIONS, _GENERATED_TOKENS),
    included=frozenset({TRAINED_TOKENS.name, STORED_GB_HOURS.name}),
    limits=Limits(running_jobs=4, open_jobs=50, runtime=timedelta(hours=12), share_weight=2),
    trial=Trial(
        credit=Money(10 * MICROS, "EUR"),
        valid=timedelta(days=30),
        limits=Limits(running_jobs=2, open_jobs=20, runtime=timedelta(hours=6), share_weight=1),
    ),
)

# Every version ever in force, per plan, oldest first: a published version never changes.
CATALOGUE: Mapping[str, tuple[Plan, ...]] = {PAY_AS_YOU_GO.name: (PAY_AS_YOU_GO,)}


def in_force(versions: Sequence[Plan], day: date) -> Plan:
    """The version of a plan that rates a day's use.

    Raises:
        LookupError: the plan was not sold yet.
    """
    for version in reversed(versions):
        if version.valid_from <= day:
            return version
    raise LookupError(f"the plan {versions[0].name} was not sold on {day}")
