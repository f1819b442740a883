"""Use becomes lines: what is written as one, at which price, and what it comes to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from services.billing.invoicing import Line
from services.billing.money import EXACT, rounded
from services.billing.plans import Plan, PlanPrice, in_force
from services.billing.pricing import Scale, free_part
from services.metering.usage import Use


@dataclass(slots=True)
class _Part:
    """Use that is written as one line."""

    quantity: Decimal
    events: int
    first_day: date
    last_day: date

    def add(self, use: Use) -> None:
        self.quantity = EXACT.add(self.quantity, use.quantity)
        self.events += use.events
        self.first_day, self.last_day = min(self.first_day, use.day), max(self.last_day, use.day)


class _Place(NamedTuple):
    # Where use is written; the order of these fields is the order of the lines.
    price: int
    version: int
    day: date
    subject: str


def lines_of(uses: Iterable[Use], versions: Sequence[Plan], names: Mapping[str, str]) -> tuple[Line, ...]:
    """Use as an invoice's lines, in their order: for each price, plan version and subject, or a day of it.

    `versions` and `names` are those of `rating.draft`.

    Raises:
        NotSold: the plan has no price for something that was used.
    """

    @cache
    def version_on(day: date) -> int:
        return versions.index(in_force(versions, day))

    @cache
    def price_of(version: int, meter: str, properties: tuple[tuple[str, str], ...]) -> int | None:
        plan = versions[version]
        price = plan.price_of(meter, dict(properties))
        return None if price is None else plan.prices.index(price)

    parts: dict[tuple[int, int, date | None, str], _Part] = {}
    for use in uses:
        version = version_on(use.day)
        price = price_of(version, use.meter, tuple(use.properties.items()))
        if price is not None:
            day = use.day if versions[version].prices[price].is_by_day else None
            at = price, version, day, use.subject
            if at in parts:
                parts[at].add(use)
            else:
                parts[at] = _Part(use.quantity, use.events, use.day, use.day)

    places = {
        _Place(price, version, part.first_day, subject): part
        for (price, version, _, subject), part in parts.items()
        if part.quantity
    }
    lines: list[Line] = []
    # A plan that was left and taken up again within the period goes on where it stopped.
    scales: dict[tuple[str, str], Scale] = {}
    for place in sorted(places):
        plan = versions[place.version]
        sold = plan.prices[place.price]
        key = plan.edition, sold.key
        scale = scales.get(key) or scales.setdefault(key, Scale(sold.price))
        name = names.get(place.subject, place.subject)
        lines.append(_line(plan, sold, place, places[place], scale, name))
    return tuple(lines)


def _line(plan: Plan, sold: PlanPrice, place: _Place, part: _Part, scale: Scale, name: str) -> Line:
    by_day = f":{place.day}" if sold.is_by_day else ""
    before = scale.before
    return Line(
        key=f"{sold.key}:{plan.edition}{by_day}:{place.subject}",
        title=sold.title,
        meter=sold.meter,
        subject=place.subject,
        name=name,
        properties=dict(sold.where),
        first_day=part.first_day,
        last_day=part.last_day,
        plan=plan.name,
        plan_version=plan.version,
        price_key=sold.key,
        price=sold.price,
        before=before,
        quantity=part.quantity,
        free=free_part(sold.price, before, part.quantity),
        events=part.events,
        tax_code=sold.tax_code,
        amount=rounded(scale.part(part.quantity), plan.currency),
    )
