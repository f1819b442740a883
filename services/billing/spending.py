"""What pays for use before anything is owed: grants, in a fixed order, each use traced to its grant."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from services.billing.invoicing import CreditUse
from services.billing.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """What is left of a grant; it pays for use from its first day up to, and without, its last.

    Lower `priority` is spent first, then what expires first, then what was given first.
    """

    grant_id: str
    reason: str
    left: Money
    first_day: date
    last_day: date | None = None
    priority: int = 100
    prepaid: bool = False

    def pays_for(self, first: date, last: date | None = None) -> bool:
        """Is the grant valid on this day, or on some day between two?"""
        return self.first_day <= (last or first) and (self.last_day is None or first < self.last_day)


@dataclass(frozen=True, slots=True)
class Owed:
    """An amount for use between two days; below zero it makes up for amounts of the days after."""

    first_day: date
    last_day: date
    amount: Money


def in_order(grants: Iterable[Credit]) -> list[Credit]:
    """The grants as they are spent: by priority, then expiry, then age."""
    return sorted(
        grants,
        key=lambda grant: (grant.priority, grant.last_day or date.max, grant.first_day, grant.grant_id),
    )


def spend(owed: Sequence[Owed], grants: Iterable[Credit], *, at_most: Money) -> tuple[CreditUse, ...]:
    """Let grants pay for amounts in the order of their days, and for no more in sum than `at_most`."""
    ordered = in_order(grants)
    left = {grant.grant_id: grant.left for grant in ordered}
    open_amount, allowed = Money.zero(at_most.currency), at_most
    for item in sorted(owed, key=lambda item: (item.first_day, item.last_day)):
        # What came back on an earlier day is used up first; what no grant pays is owed, and not carried on.
        open_amount = min(open_amount, Money.zero(at_most.currency)) + item.amount
        for grant in ordered:
            if grant.pays_for(item.first_day, item.last_day):
                paid = max(min(open_amount, left[grant.grant_id], allowed), Money.zero(at_most.currency))
                left[grant.grant_id] -= paid
                open_amount -= paid
                allowed -= paid
    return tuple(
        CreditUse(
            grant_id=grant.grant_id,
            reason=grant.reason,
            prepaid=grant.prepaid,
            amount=grant.left - left[grant.grant_id],
        )
        for grant in ordered
        if left[grant.grant_id] < grant.left
    )
