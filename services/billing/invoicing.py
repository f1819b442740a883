"""From use to a draft invoice: a pure function of aggregated events, the plan's versions, credits and tax."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from services.billing.money import EXACT, Money, rounded, total
from services.billing.plans import LinePer, Plan, PlanPrice, in_force
from services.billing.pricing import Price, free_part, rate_part
from services.metering.usage import Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """What is left of a grant; it pays for use from its first day up to, and without, its last."""

    grant_id: str
    reason: str
    left: Money
    first_day: date
    last_day: date | None = None

    def pays_for(self, day: date) -> bool:
        """Is the grant valid on this day?"""
        return self.first_day <= day and (self.last_day is None or day < self.last_day)


@dataclass(frozen=True, slots=True)
class Tax:
    """The rate in percent, and the sentence that an invoice gives as its reason."""

    percent: Decimal
    note: str


class _Snapshot(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Line(_Snapshot):
    """One line: what was used, at which price, and all that is needed to rate and to find it again.

    Its events are those of `meter` with `properties`, of job or model version `subject`, on the days from
    `first_day` to `last_day`. Its amount is `rounded(rate_part(price, before, quantity))`.
    """

    key: str
    title: str
    meter: str
    subject: str
    name: str
    properties: dict[str, str]
    first_day: date
    last_day: date
    plan_version: int
    price_key: str
    price: Price
    # Rated earlier in the same period at the same price; matters where the price depends on the sum.
    before: Decimal
    quantity: Decimal
    # The part of the quantity that the usage discount covers.
    free: Decimal
    events: int
    amount: Money


class CreditUse(_Snapshot):
    """What a grant paid of this invoice."""

    grant_id: str
    reason: str
    amount: Money


class Draft(_Snapshot):
    """All figures of an invoice: `total` = `subtotal` − `credit` + `tax`, each rounded to the minor unit.

    A trial credit is a discount: nobody paid for it, so tax is due only on what it leaves.
    """

    plan: str
    currency: str
    lines: tuple[Line, ...]
    credits: tuple[CreditUse, ...]
    subtotal: Money
    credit: Money
    tax_percent: Decimal
    tax_note: str
    tax: Money
    total: Money

    def named(self, names: Mapping[str, str]) -> "Draft":
        """The same figures, with lines that go by what their subjects are called."""
        lines = (line.model_copy(update={"name": names.get(line.subject, line.name)}) for line in self.lines)
        return self.model_copy(update={"lines": tuple(lines)})


class _Place(NamedTuple):
    # Where use is written; the order of these fields is the order of the lines.
    price: int
    version: int
    day: date
    subject: str


def draft(
    uses: Iterable[Use],
    *,
    versions: Sequence[Plan],
    grants: Iterable[Credit] = (),
    tax: Tax,
) -> Draft:
    """The invoice that one period's use comes to; any order and any split of the uses gives the same.

    `versions` are those of one plan, oldest first. Lines go by the ids of their subjects until somebody names
    them.

    Raises:
        NotSold: the plan has no price for something that was used.
    """
    lines = _lines(uses, versions)
    currency = versions[-1].currency
    used = _spend(lines, grants)
    subtotal = total((line.amount for line in lines), currency)
    credit = total((use.amount for use in used), currency)
    taxed = subtotal - credit
    due = rounded(EXACT.multiply(taxed.amount, tax.percent.scaleb(-2, EXACT)), currency)
    return Draft(
        plan=versions[-1].name,
        currency=currency,
        lines=lines,
        credits=used,
        subtotal=subtotal,
        credit=credit,
        tax_percent=tax.percent,
        tax_note=tax.note,
        tax=due,
        total=taxed + due,
    )


def _lines(uses: Iterable[Use], versions: Sequence[Plan]) -> tuple[Line, ...]:
    groups: dict[tuple[int, int, date | None, str], list[Use]] = defaultdict(list)
    for use in uses:
        plan = in_force(versions, use.day)
        price = plan.price_of(use.meter, use.properties)
        if price is not None:
            day = use.day if price.line_per is LinePer.day_and_subject else None
            groups[plan.prices.index(price), versions.index(plan), day, use.subject].append(use)

    places = {
        _Place(price, version, day or min(use.day for use in group), subject): group
        for (price, version, day, subject), group in groups.items()
    }
    lines: list[Line] = []
    before: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    for place, group in sorted(places.items(), key=lambda item: item[0]):
        plan = versions[place.version]
        scale = place.price, place.version
        line = _line(plan, plan.prices[place.price], place, group, before[scale])
        if line.quantity:
            before[scale] = EXACT.add(before[scale], line.quantity)
            lines.append(line)
    return tuple(lines)


def _line(plan: Plan, sold: PlanPrice, place: _Place, group: list[Use], before: Decimal) -> Line:
    quantity = Decimal(0)
    for use in group:
        quantity = EXACT.add(quantity, use.quantity)
    by_day = (str(place.day),) if sold.line_per is LinePer.day_and_subject else ()
    return Line(
        key=":".join((sold.key, f"v{plan.version}", *by_day, place.subject)),
        title=sold.title,
        meter=sold.meter,
        subject=place.subject,
        name=place.subject,
        properties=dict(sold.where),
        first_day=place.day,
        last_day=max(use.day for use in group),
        plan_version=plan.version,
        price_key=sold.key,
        price=sold.price,
        before=before,
        quantity=quantity,
        free=free_part(sold.price, before, quantity),
        events=sum(use.events for use in group),
        amount=rounded(rate_part(sold.price, before, quantity), plan.currency),
    )


def _spend(lines: Sequence[Line], grants: Iterable[Credit]) -> tuple[CreditUse, ...]:
    """Let grants pay for lines in the order of their days; what expires first is spent first."""
    grants = sorted(grants, key=lambda grant: (grant.last_day or date.max, grant.first_day, grant.grant_id))
    left = {grant.grant_id: grant.left for grant in grants}
    for line in sorted(lines, key=lambda line: (line.first_day, line.key)):
        owed = line.amount
        for grant in grants:
            if grant.pays_for(line.first_day):
                paid = min(owed, left[grant.grant_id])
                left[grant.grant_id] -= paid
                owed -= paid
    return tuple(
        CreditUse(grant_id=grant.grant_id, reason=grant.reason, amount=grant.left - left[grant.grant_id])
        for grant in grants
        if left[grant.grant_id] < grant.left
    )
