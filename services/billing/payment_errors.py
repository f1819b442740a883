"""What can go wrong with payments online and with money sent back, in a sentence each."""

from services.billing.money import Money
from services.errors import Conflict, Invalid, ServiceError, Unavailable


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
