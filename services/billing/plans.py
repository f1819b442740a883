"""What is sold: plans, their versions and their prices."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter

from services.billing.money import Money
from services.billing.pricing import Price
from services.billing.taxation import TaxCode


class LinePer(StrEnum):
    """What an invoice has one line for."""

    subject = "subject"  # a job
    day_and_subject = "day_and_subject"  # a day's predictions of a model version


@dataclass(frozen=True)
class PlanPrice:
    """The price of a meter, or of that part of it whose events have the properties of `where`."""

    key: str
    title: str
    meter: str
    price: Price
    line_per: LinePer
    where: Mapping[str, str]
    tax_code: TaxCode = TaxCode.standard

    @cached_property
    def is_by_day(self) -> bool:
        """Does an invoice have a line for each day?"""
        return self.line_per is LinePer.day_and_subject

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


@dataclass(frozen=True)
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

    @cached_property
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


def in_force(versions: Sequence[Plan], day: date) -> Plan:
    """The version of a plan that rates a day's use.

    Raises:
        LookupError: the plan was not sold yet.
    """
    for version in reversed(versions):
        if version.valid_from <= day:
            return version
    raise LookupError(f"the plan {versions[0].name} was not sold on {day}")


_KEPT = TypeAdapter(Plan)


def to_json(plan: Plan) -> dict[str, Any]:
    """What a JSON column keeps: amounts as integers, rates as text."""
    kept: dict[str, Any] = _KEPT.dump_python(plan, mode="json")
    kept["included"] = sorted(plan.included)
    return kept


def from_json(kept: Mapping[str, Any]) -> Plan:
    """The value that `to_json` was called on.

    Raises:
        ValidationError: these are no terms of a plan.
    """
    return _KEPT.validate_json(json.dumps(kept))
