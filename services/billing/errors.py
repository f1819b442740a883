"""What can go wrong with money, in a sentence each."""

from datetime import datetime

from services.billing.money import Money
from services.billing.period import Month
from services.errors import Conflict, PaymentRequired


class CreditSpent(PaymentRequired):
    """A workspace on trial asks for more than its credit covers."""

    code = "credit_spent"

    def __init__(self, *, left: Money, reserved: Money, needed: Money) -> None:
        free = max(left - reserved, Money.zero(left.currency))
        if left.micros <= 0:
            why = "The trial credit of this workspace is spent or has expired."
        elif reserved.micros:
            why = (
                f"This may cost up to {needed}. Of the trial credit {left} is left, and open jobs hold "
                f"{reserved} of it, so that {free} is free."
            )
        else:
            why = f"This may cost up to {needed}, and {left} of the trial credit is left."
        super().__init__(f"{why} Write to us to go on with pay as you go.")
        self.left, self.reserved, self.needed = left, reserved, needed


class MonthNotOver(Conflict):
    """A month cannot be invoiced while its use can still arrive."""

    code = "month_not_over"

    def __init__(self, month: Month, closes_at: datetime) -> None:
        super().__init__(
            f"The month {month} can be closed from {closes_at:%Y-%m-%d %H:%M %Z} on: use may still arrive."
        )
        self.month, self.closes_at = month, closes_at


class MonthIsClosed(Conflict):
    """There is an invoice for the month, and no draft any more."""

    code = "month_is_closed"

    def __init__(self, month: Month, number: str) -> None:
        super().__init__(
            f"The month {month} is invoiced under the number {number}. Open that invoice instead."
        )
        self.month, self.number = month, number
