"""What can go wrong with months, invoices and what may be spent, in a sentence each."""

from datetime import datetime

from services.billing.money import Money
from services.billing.period import Month
from services.errors import Conflict, Invalid, PaymentRequired


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


class InvoiceVoid(Conflict):
    """Nothing is owed of an invoice that was taken back."""

    code = "invoice_void"

    def __init__(self, number: str) -> None:
        super().__init__(
            f"The invoice {number} was taken back as a whole, and nothing is owed of it. Pay another one, or "
            "send the money back."
        )
        self.number = number


class InvoicePaid(Conflict):
    """Nothing is left to pay."""

    code = "invoice_paid"

    def __init__(self, number: str) -> None:
        super().__init__(f"The invoice {number} is paid. Record the payment for another invoice.")
        self.number = number


class PaymentTooLarge(Invalid):
    """More than is owed, or nothing."""

    code = "payment_too_large"

    def __init__(self, number: str, owed: Money) -> None:
        super().__init__(
            f"Of the invoice {number} {owed} is owed. Record a payment of at least one coin and at most that."
        )
        self.number, self.owed = number, owed


class NothingToCredit(Conflict):
    """More would be taken back than was invoiced."""

    code = "nothing_to_credit"

    def __init__(self, number: str, left: Money) -> None:
        super().__init__(
            f"Of the invoice {number} {left} before tax can be credited still. Credit at most that."
        )
        self.number, self.left = number, left


class BillingParked(Conflict):
    """A workspace whose figures do not agree is not billed."""

    code = "billing_parked"

    def __init__(self, findings: list[str]) -> None:
        super().__init__(
            f"This workspace is not billed until somebody has looked: {findings[0]} "
            "Release it on the page Billing runs once it is explained."
        )
        self.findings = findings


class BudgetReached(PaymentRequired):
    """The workspace's own budget for the month does not cover this."""

    code = "budget_reached"

    def __init__(self, *, budget: Money, spent: Money, reserved: Money, needed: Money) -> None:
        held = f", and open jobs hold {reserved}" if reserved.micros else ""
        super().__init__(
            f"This may cost up to {needed}. Of the workspace’s budget of {budget} for this month {spent} is "
            f"spent{held}. Ask whoever looks after billing to raise the budget, or wait for next month."
        )
        self.budget, self.spent, self.reserved, self.needed = budget, spent, reserved, needed


class UnusableBudget(Invalid):
    """Not a budget that can be kept."""

    code = "unusable_budget"

    def __init__(self, why: str) -> None:
        super().__init__(f"This is no budget: {why}")
