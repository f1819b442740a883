"""Value added tax: which rate holds between a seller and a customer, and the sums of each rate's group.

Categories are those of EN 16931 (UNCL 5305). Rules: articles 44, 59 and 196 of directive 2006/112/EC.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from services.billing.money import EXACT, Money, rounded


class TaxCode(StrEnum):
    """What kind of thing is sold, as far as its tax is concerned."""

    standard = "standard"
    reduced = "reduced"
    zero = "zero"


class TaxCategory(StrEnum):
    """Why a rate is what it is."""

    standard = "S"
    zero_rated = "Z"
    exempt = "E"
    reverse_charge = "AE"
    outside_scope = "O"


@dataclass(frozen=True, slots=True)
class Tax:
    """The rate in percent, and the sentence that an invoice gives as its reason."""

    percent: Decimal
    note: str
    category: TaxCategory = TaxCategory.standard

    def on(self, net: Money) -> Money:
        """The tax on a group's net amount, rounded once."""
        return rounded(
            EXACT.multiply(net.amount, EXACT.multiply(self.percent, Decimal("0.01"))), net.currency
        )


Taxes = Mapping[TaxCode, Tax]

# Member states, by the prefixes of their VAT ids; Greece writes EL.
_EU = "AT BE BG CY CZ DE DK EE EL ES FI FR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
EU = frozenset(_EU.split())
REVERSE_CHARGE = "Reverse charge: the customer accounts for the VAT (article 196, directive 2006/112/EC)."
OUTSIDE = "Not subject to VAT: the service is supplied where the customer is established."


def taxes_between(own: Taxes, *, seller: str, customer: str, vat_id: str) -> Taxes:
    """The rates of a sale to a business; countries are ISO 3166 codes, empty where not known.

    `own` are the seller's rates at home; `vat_id` is empty unless it was checked.
    """
    seller, customer = _prefix(seller), _prefix(customer)
    if not seller or not customer or customer == seller:
        return own
    if customer not in EU:
        return dict.fromkeys(own, Tax(Decimal(0), OUTSIDE, TaxCategory.outside_scope))
    if seller in EU and vat_id:
        return dict.fromkeys(own, Tax(Decimal(0), REVERSE_CHARGE, TaxCategory.reverse_charge))
    return own


def _prefix(country: str) -> str:
    return "EL" if country == "GR" else country
