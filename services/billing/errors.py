"""What can go wrong with money, in a sentence each."""

from datetime import date, datetime

from services.billing.money import Money
from services.billing.period import Month
from services.errors import Conflict, Invalid, PaymentRequired, ServiceError, Unavailable


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


class UnknownPlan(Invalid):
    """Nothing is sold under this name."""

    code = "unknown_plan"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no plan “{name}”. Choose one of the plans that are sold.")
        self.name = name


class PlanBeginsTooEarly(Invalid):
    """A published price would change what was used already."""

    code = "plan_begins_too_early"

    def __init__(self, earliest: date) -> None:
        super().__init__(
            f"Use of days that have begun keeps its price. Let this version begin on {earliest} or later."
        )
        self.earliest = earliest


class PlanCurrencyFixed(Conflict):
    """A plan is sold in one currency."""

    code = "plan_currency_fixed"

    def __init__(self, currency: str) -> None:
        super().__init__(
            f"This plan is sold in {currency}. Publish one under another name for another currency."
        )
        self.currency = currency


class PlanForgetsMeter(Invalid):
    """Something that is measured would have no price."""

    code = "plan_forgets_meter"

    def __init__(self, meter: str) -> None:
        super().__init__(f"The plan says nothing about “{meter}”. Give it a price, or include it.")
        self.meter = meter


class PriceNotSteady(Invalid):
    """What is quoted before it is used must cost the same whatever was used before."""

    code = "price_not_steady"

    def __init__(self, title: str) -> None:
        super().__init__(
            f"“{title}” is quoted before a job starts, so every unit must cost the same. Use a price per "
            "unit or a package in proportion, without minimum, maximum and commitment."
        )
        self.title = title


class AlreadySubscribed(Conflict):
    """A workspace has one plan at a time."""

    code = "already_subscribed"

    def __init__(self, plan: str) -> None:
        super().__init__(f"This workspace is on the plan “{plan}” already. Change that plan instead.")
        self.plan = plan


class CurrencyDiffers(Conflict):
    """A workspace is billed in one currency."""

    code = "currency_differs"

    def __init__(self, plan: str, sold_in: str, billed_in: str) -> None:
        super().__init__(
            f"The plan “{plan}” is sold in {sold_in}, and this workspace is billed in {billed_in}. "
            "Choose a plan in its currency."
        )
        self.plan, self.sold_in, self.billed_in = plan, sold_in, billed_in


class PreviewTooOld(Conflict):
    """A preview holds for a quarter of an hour."""

    code = "preview_too_old"

    def __init__(self) -> None:
        super().__init__("This preview is no longer good. Look at a new one, and confirm that.")


class BadVatId(Invalid):
    """A VAT id that nobody can have."""

    code = "bad_vat_id"

    def __init__(self, vat_id: str) -> None:
        super().__init__(
            f"“{vat_id}” is no valid VAT id: its form or its check digit is wrong. Copy it from a letter of "
            "your tax office, or leave it empty."
        )
        self.vat_id = vat_id


class BadCountry(Invalid):
    """Not a country's code."""

    code = "bad_country"

    def __init__(self, country: str) -> None:
        super().__init__(f"“{country}” is no country code. Use the two letters of ISO 3166, such as DE.")
        self.country = country


class UnusableContract(Invalid):
    """A contract that cannot be billed."""

    code = "unusable_contract"

    def __init__(self, why: str) -> None:
        super().__init__(f"This contract cannot be billed: {why}")


class AlreadyEnded(Conflict):
    """There is nothing left to end."""

    code = "already_ended"

    def __init__(self, noun: str) -> None:
        super().__init__(f"This {noun} has ended already, or changes no invoice that is still to be made.")
        self.noun = noun


class EndsTooEarly(Invalid):
    """A contract would end in a month that is invoiced, or not within its term."""

    code = "ends_too_early"

    def __init__(self, soonest: Month) -> None:
        super().__init__(
            f"The contract can end with {soonest} at the soonest, and before its last month: what is "
            "invoiced stays as it is. Take something of an invoice back by a credit note instead."
        )
        self.soonest = soonest


class UnusableCoupon(Invalid):
    """A coupon that cannot be made."""

    code = "unusable_coupon"

    def __init__(self, coupon: str, why: str) -> None:
        super().__init__(f"The coupon “{coupon}” cannot be made: {why}.")
        self.coupon = coupon


class UnusableCredit(Invalid):
    """Credit that would pay for nothing."""

    code = "unusable_credit"

    def __init__(self, why: str) -> None:
        super().__init__(f"This credit cannot be granted: {why}.")


class UnusablePartner(Invalid):
    """A partner who cannot be paid a share."""

    code = "unusable_partner"

    def __init__(self, why: str) -> None:
        super().__init__(f"This partner cannot be added: {why}.")


class PlanExists(Conflict):
    """A new plan would be a version of another one."""

    code = "plan_exists"

    def __init__(self, title: str) -> None:
        super().__init__(
            f"There is a plan “{title}” already. Publish its next version, or choose another name."
        )
        self.title = title


class UnknownCoupon(Invalid):
    """No coupon that can be taken up."""

    code = "unknown_coupon"

    def __init__(self, code: str) -> None:
        super().__init__(f"The coupon “{code}” does not exist, has expired, or is used up. Check the code.")
        self.coupon = code


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


class OnlinePaymentOff(Conflict):
    """Nobody has set up payment online."""

    code = "online_payment_off"

    def __init__(self) -> None:
        super().__init__(
            "Invoices cannot be paid online here. Pay by bank transfer, as the invoice says. (Operators: set "
            "TUNEPORT_STRIPE_SECRET_KEY and TUNEPORT_STRIPE_WEBHOOK_SECRET, and install the extra “stripe”.)"
        )


class NotPayableOnline(Conflict):
    """An amount that the payment provider does not charge."""

    code = "not_payable_online"

    def __init__(self, why: str) -> None:
        super().__init__(f"This invoice cannot be paid online: {why}. Pay it by bank transfer instead.")
        self.why = why


class NoPaymentPage(Unavailable):
    """The payment provider does not answer."""

    code = "no_payment_page"

    def __init__(self) -> None:
        super().__init__(
            "The page to pay on cannot be opened right now; nothing was charged. Try again in a minute, or "
            "pay by bank transfer."
        )


class BadSignature(ServiceError):
    """A message that does not come from the payment provider."""

    code = "bad_signature"

    def __init__(self) -> None:
        super().__init__(
            "The signature of this message is not that of the payment provider, or it is too old. Nothing "
            "was recorded. Compare TUNEPORT_STRIPE_WEBHOOK_SECRET with the provider’s page."
        )


class UnusableMessage(Invalid):
    """A message of the payment provider that does not say what it should."""

    code = "unusable_message"

    def __init__(self, why: str) -> None:
        super().__init__(f"This message of the payment provider cannot be used: {why}. Nothing was recorded.")
        self.why = why


class PaymentInOtherCurrency(Conflict):
    """Money came in in a currency that the invoice is not in."""

    code = "payment_currency_differs"

    def __init__(self, number: str, paid: Money, owed_in: str) -> None:
        super().__init__(f"{paid} came in for the invoice {number}, which is in {owed_in}. Send it back.")
        self.number, self.paid = number, paid


class RefundUnexplained(Conflict):
    """More was sent back than an invoice and its credit notes explain."""

    code = "refund_unexplained"

    def __init__(self, number: str, amount: Money) -> None:
        super().__init__(
            f"{amount} was sent back for the invoice {number}, of which nothing is left to credit. Ask who "
            "sent it, and why."
        )
        self.number, self.amount = number, amount


class RefundFailed(Conflict):
    """What was sent back did not arrive."""

    code = "refund_failed"

    def __init__(self, number: str, amount: Money) -> None:
        super().__init__(
            f"{amount} that was sent back for the invoice {number} did not arrive, and is with us again. Its "
            "credit note stays: send the money another way, or keep it as credit."
        )
        self.number, self.amount = number, amount


class RefundTooLarge(Invalid):
    """More than is left of a payment, or nothing."""

    code = "refund_too_large"

    def __init__(self, left: Money) -> None:
        super().__init__(f"{left} of this payment can still be sent back. Send back at least one coin of it.")
        self.left = left


class RefundRefused(Conflict):
    """The payment provider does not send it back."""

    code = "refund_refused"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The payment provider does not send this back: {why}. Nothing was recorded. Look at the payment "
            "on the provider’s page, or send the money by bank transfer and settle it there."
        )
        self.why = why


class RefundUnsure(Unavailable):
    """The payment provider does not answer."""

    code = "refund_unsure"

    def __init__(self) -> None:
        super().__init__(
            "The payment provider does not answer, so nobody knows whether the money went back. Ask again: "
            "nothing is sent twice."
        )
