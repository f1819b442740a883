"""Coupons: a percentage or an amount off an invoice's subtotal."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from services.billing.invoicing import Discount
from services.billing.money import EXACT, Money, rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon:
    """Either `percent` or `amount` is set; the amount is a whole one of each invoice."""

    code: str
    title: str
    percent: Decimal | None = None
    amount: Money | None = None

    def off(self, subtotal: Money) -> Money:
        """What it takes off; never more than there is."""
        wanted = self.amount
        if wanted is None:
            share = EXACT.multiply(self.percent or Decimal(0), Decimal("0.01"))
            wanted = rounded(EXACT.multiply(subtotal.amount, share), subtotal.currency)
        return max(min(wanted, subtotal), Money.zero(subtotal.currency))


def discounts(coupons: Iterable[Coupon], subtotal: Money) -> tuple[Discount, ...]:
    """What coupons take off a subtotal, one after the other in the order of their codes."""
    found, left = [], subtotal
    for coupon in sorted(coupons, key=lambda coupon: coupon.code):
        off = coupon.off(left)
        left -= off
        if off.micros:
            found.append(Discount(code=coupon.code, title=coupon.title, amount=off))
    return tuple(found)
