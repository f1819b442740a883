"""What can go wrong with what is agreed with a workspace beside its plan, in a sentence each."""

from services.billing.period import Month
from services.errors import Conflict, Invalid


class UnusableContract(Invalid):
    """A contract that cannot be billed."""

    code = "unusable_contract"

    def __init__(self, why: str) -> None:
        super().__init__(f"This contract cannot be billed: {why}")


class EndsTooEarly(Invalid):
    """A contract would end in a month that is invoiced, or not within its term."""

    code = "ends_too_early"

    def __init__(self, soonest: Month) -> None:
        super().__init__(
            f"The contract can end with {soonest} at the soonest, and before its last month: what is "
            "invoiced stays as it is. Take something of an invoice back by a credit note instead."
        )
        self.soonest = soonest


class AlreadyEnded(Conflict):
    """There is nothing left to end."""

    code = "already_ended"

    def __init__(self, noun: str) -> None:
        super().__init__(f"This {noun} has ended already, or changes no invoice that is still to be made.")
        self.noun = noun


class UnusableCoupon(Invalid):
    """A coupon that cannot be made."""

    code = "unusable_coupon"

    def __init__(self, coupon: str, why: str) -> None:
        super().__init__(f"The coupon “{coupon}” cannot be made: {why}.")
        self.coupon = coupon


class UnknownCoupon(Invalid):
    """No coupon that can be taken up."""

    code = "unknown_coupon"

    def __init__(self, code: str) -> None:
        super().__init__(f"The coupon “{code}” does not exist, has expired, or is used up. Check the code.")
        self.coupon = code


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
