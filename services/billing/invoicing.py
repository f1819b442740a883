"""An invoice's figures: lines of use, charges, discounts, tax by rate, credits, and how they add up."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from services.billing.money import Money, rounded, total
from services.billing.pricing import Price, rate_part
from services.billing.taxation import TaxCategory, TaxCode


class _Figure(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Line(_Figure):
    """Use at a price: what was used, and all that is needed to rate it and to find its events again.

    Its events are those of `meter` with `properties`, of job or model version `subject`, on the days from
    `first_day` to `last_day`.
    """

    key: str
    title: str
    meter: str
    subject: str
    name: str
    properties: dict[str, str]
    first_day: date
    last_day: date
    plan: str
    plan_version: int
    price_key: str
    price: Price
    # Rated earlier in the same period at the same price; matters where the price depends on the sum.
    before: Decimal
    quantity: Decimal
    # The part of the quantity that the usage discount covers.
    free: Decimal
    events: int
    tax_code: TaxCode = TaxCode.standard
    amount: Money

    def rated(self) -> Money:
        """What the amount must be, from the quantity and the price that stand here."""
        return rounded(rate_part(self.price, self.before, self.quantity), self.amount.currency)


class ChargeKind(StrEnum):
    """Why something is charged that is not use by itself."""

    fee = "fee"  # a plan's fee for the month, or for what the month had of it
    unused = "unused"  # what comes back of a fee when the plan is changed (below zero)
    base = "base"  # a tiered price's flat amount that is due where nothing is used
    minimum = "minimum"  # what makes a price's lines up to its minimum
    maximum = "maximum"  # what a price's lines exceed its maximum by (below zero)
    true_up = "true_up"  # what makes use up to a commitment
    overage = "overage"  # what use beyond a commitment costs on top
    instalment = "instalment"  # a part of a contract's yearly fee
    correction = "correction"  # late use of an earlier month, or what was billed wrongly
    carried_over = "carried_over"  # what an invoice below zero leaves for the next one


# What a charge names as its source that follows from the contract's commitment.
CONTRACT = "contract"
_OF_PRICES = {ChargeKind.base, ChargeKind.minimum, ChargeKind.maximum, ChargeKind.true_up, ChargeKind.overage}


class Charge(_Figure):
    """An amount that is not use by itself; below zero where it comes back to the customer."""

    key: str
    kind: ChargeKind
    title: str
    first_day: date
    last_day: date
    # The price or the plan that it follows from, and the invoice that it corrects; empty where there is none.
    source: str = ""
    corrects: str = ""
    tax_code: TaxCode = TaxCode.standard
    amount: Money

    @property
    def is_of_price(self) -> bool:
        """Is it what a price adds for the period as a whole, and belongs with the price's lines?"""
        return self.kind in _OF_PRICES and self.source != CONTRACT


class Discount(_Figure):
    """What a coupon takes off the subtotal, before tax."""

    code: str
    title: str
    amount: Money


class CreditUse(_Figure):
    """What a grant paid of this invoice.

    A credit that nobody paid for (a trial) is a discount and comes off before tax; a prepaid one is a payment
    and comes off the total.
    """

    grant_id: str
    reason: str
    prepaid: bool = False
    amount: Money


class BalanceUse(_Figure):
    """What a credit note on an invoice that was paid already pays of this one."""

    credit_note: str
    amount: Money


class TaxGroup(_Figure):
    """All that is taxed at one rate: `net` of discounts, and its `tax`, rounded once (EN 16931, BG-23)."""

    category: TaxCategory
    percent: Decimal
    note: str
    # The tax codes of the lines and charges in it.
    codes: tuple[TaxCode, ...]
    # Of lines and charges, and what discounts and credits take off it.
    gross: Money
    allowance: Money
    net: Money
    tax: Money


class Draft(_Figure):
    """All figures of an invoice, each rounded to the minor unit.

    `subtotal` sums lines and charges; `net` is what `discount` and `credit` leave of it; `total` is `net` and
    `tax`, and `payable` what credit notes and prepaid credit leave of that.
    """

    plan: str
    currency: str
    lines: tuple[Line, ...]
    charges: tuple[Charge, ...] = ()
    discounts: tuple[Discount, ...] = ()
    credits: tuple[CreditUse, ...] = ()
    balances: tuple[BalanceUse, ...] = ()
    tax_groups: tuple[TaxGroup, ...]
    subtotal: Money
    discount: Money
    credit: Money
    net: Money
    tax: Money
    total: Money
    prepaid: Money
    payable: Money

    @property
    def of_use(self) -> Money:
        """What use comes to, which a commitment counts: lines, and what their prices add."""
        lines = total((line.amount for line in self.lines), self.currency)
        return lines + total((charge.amount for charge in self.charges if charge.is_of_price), self.currency)

    @property
    def is_empty(self) -> bool:
        """Is there nothing to invoice?"""
        return not (self.lines or self.charges)

    def named(self, names: Mapping[str, str]) -> "Draft":
        """The same figures, with lines that go by what their subjects are called."""
        lines = (line.model_copy(update={"name": names.get(line.subject, line.name)}) for line in self.lines)
        return self.model_copy(update={"lines": tuple(lines)})
