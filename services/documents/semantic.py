"""An invoice as the European standard EN 16931-1 sees it: its business terms, whatever syntax they stand in.

Comments name the terms (BT) and groups (BG) of the standard.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from stdnum import iban

from services.billing.invoicing import Charge, Line, TaxGroup
from services.billing.money import MINOR_DIGITS, Money
from services.billing.pricing import Begun, PackagePrice, Price, UnitPrice
from services.billing.snapshot import Party, Snapshot
from services.billing.taxation import TaxCategory
from services.documents.words import CREDITED, Words, words_of
from services.errors import Conflict
from services.metering.meters import meter

INVOICE, CREDIT_NOTE = "380", "381"
_MOST_DECIMALS = 2
# UN/ECE recommendation 20: one, second.
_ONE, _SECOND = "C62", "SEC"
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_UNITS = {"device-second": _SECOND}
# UNCL 4461: SEPA credit transfer, instrument not defined.
_TRANSFER, _UNDEFINED = "58", "1"


class NoElectronicInvoice(Conflict):
    """The standard asks for something that this invoice does not have."""

    code = "no_electronic_invoice"

    def __init__(self, missing: Sequence[str]) -> None:
        super().__init__(
            f"This invoice has no electronic form, for which it lacks {', '.join(missing)}. The PDF is valid "
            "without it; complete your billing details, and the next invoice has one."
        )
        self.missing = tuple(missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A category of VAT and its percentage, which what is outside its scope has none of."""

    category: TaxCategory
    percent: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An invoice line (BG-25): `quantity` units at `price` for each `per` of them make `amount`."""

    number: int
    name: str
    description: str
    quantity: Decimal
    unit: str
    price: Decimal
    per: Decimal
    amount: Money
    first_day: date
    last_day: date
    rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """Taken off the document's sum at one rate (BG-20)."""

    amount: Money
    reason: str
    rate: Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxedAt:
    """All that is taxed at one rate (BG-23)."""

    rate: Rate
    net: Money
    tax: Money
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectronicInvoice:
    """What both syntaxes say."""

    number: str  # BT-1
    kind: str  # BT-3
    issued_on: date  # BT-2
    due_on: date | None  # BT-9
    first_day: date  # BG-14
    last_day: date
    currency: str  # BT-5
    corrects: str  # BT-25, empty where it corrects none
    buyer_reference: str  # BT-10
    notes: tuple[str, ...]  # BT-22
    seller: Party  # BG-4
    seller_id: str  # BT-29, where VAT ids must not be named
    buyer: Party  # BG-7
    iban: str  # BT-84, empty where payment goes another way
    payment_means: str  # BT-81
    payment_terms: str  # BT-20
    items: tuple[Item, ...]
    allowances: tuple[Allowance, ...]
    taxes: tuple[TaxedAt, ...]
    lines_total: Money  # BT-106
    allowance: Money  # BT-107
    net: Money  # BT-109
    tax: Money  # BT-110
    total: Money  # BT-112
    paid: Money  # BT-113
    payable: Money  # BT-115


def of(snapshot: Snapshot) -> ElectronicInvoice:
    """The business terms of a finalised invoice.

    Raises:
        NoElectronicInvoice: it lacks what the standard asks for.
    """
    if missing := missing_for(snapshot):
        raise NoElectronicInvoice(missing)
    assert snapshot.number is not None
    draft, words = snapshot.draft, words_of(snapshot.language)
    rates = {code: _rate(snapshot, group) for group in draft.tax_groups for code in group.codes}
    account = _account(snapshot.payment)
    items = [
        *(_used(line, words, rates[line.tax_code]) for line in draft.lines),
        *(_charged(charge, words, rates[charge.tax_code]) for charge in draft.charges),
    ]
    return ElectronicInvoice(
        number=snapshot.number,
        kind=CREDIT_NOTE if snapshot.corrects else INVOICE,
        issued_on=snapshot.issued_on,
        due_on=snapshot.due_on,
        first_day=snapshot.first_day,
        last_day=snapshot.last_day,
        currency=draft.currency,
        corrects=snapshot.corrects,
        buyer_reference=snapshot.reference,
        notes=tuple(filter(None, (snapshot.payment, *_anchor(snapshot, words)))),
        seller=snapshot.seller,
        seller_id=""
        if all(_rate(snapshot, group).percent is not None for group in draft.tax_groups)
        else snapshot.seller.tax_id or snapshot.seller.email,
        buyer=snapshot.customer,
        iban=account,
        payment_means=_TRANSFER if account else _UNDEFINED,
        payment_terms=words.of(CREDITED)
        if snapshot.corrects
        else words.payable_within(snapshot.payment_days),
        items=tuple(replace(item, number=number) for number, item in enumerate(items, start=1)),
        allowances=tuple(
            Allowance(
                amount=group.allowance,
                reason=", ".join(
                    [*(one.title for one in draft.discounts)]
                    + [words.of(one.reason) for one in draft.credits if not one.prepaid]
                ),
                rate=_rate(snapshot, group),
            )
            for group in draft.tax_groups
            if group.allowance.micros
        ),
        taxes=tuple(
            TaxedAt(
                rate=_rate(snapshot, group),
                net=group.net,
                tax=group.tax,
                reason=group.note,
            )
            for group in draft.tax_groups
        ),
        lines_total=draft.subtotal,
        allowance=draft.discount + draft.credit,
        net=draft.net,
        tax=draft.tax,
        total=draft.total,
        paid=draft.total - draft.payable,
        payable=draft.payable,
    )


def missing_for(snapshot: Snapshot) -> list[str]:
    """What the standard asks for and this invoice does not have, in words; empty where it has everything."""
    seller, customer, draft = snapshot.seller, snapshot.customer, snapshot.draft
    taxed = any(group.percent for group in draft.tax_groups)
    reverse = any(group.category is TaxCategory.reverse_charge for group in draft.tax_groups)
    asked = {
        "a number": snapshot.number,
        "a line": draft.lines or draft.charges,
        "a currency with at most two decimals": MINOR_DIGITS[draft.currency] <= _MOST_DECIMALS,
        "the seller’s country": seller.country,
        "the customer’s country": customer.country,
        "the seller’s VAT id": seller.tax_id or (seller.email and not (taxed or reverse)),
        "the customer’s VAT id": customer.tax_id or not reverse,
    }
    return [what for what, there in asked.items() if not there]


def _rate(snapshot: Snapshot, group: TaxGroup) -> Rate:
    category = group.category
    # An exemption is claimed under a VAT id; a seller that has none is not in the system at all.
    if not snapshot.seller.tax_id and not group.percent:
        category = TaxCategory.outside_scope
    if category is TaxCategory.outside_scope:
        return Rate(category=category, percent=None)
    return Rate(category=category, percent=group.percent)


def _used(line: Line, words: Words, rate: Rate) -> Item:
    billed, unit, price, per = _priced(line)
    quantity = f"{words.number(line.quantity)} {words.of(meter(line.meter).unit)}"
    told = [quantity, words.of("free") + f": {words.number(line.free)}" if line.free else "", line.subject]
    return Item(
        number=0,
        name=f"{words.of(line.title)}: {line.name}" if line.name != line.subject else words.of(line.title),
        description=", ".join(filter(None, told)),
        quantity=billed,
        unit=unit,
        price=price,
        per=per,
        amount=line.amount,
        first_day=line.first_day,
        last_day=line.last_day,
        rate=rate,
    )


def _priced(line: Line) -> tuple[Decimal, str, Decimal, Decimal]:
    """Quantity, unit, price and for how many: the line's own where they multiply to its amount."""
    unit = _UNITS.get(meter(line.meter).unit, _ONE)
    price: Price = line.price
    if line.amount.micros > 0 and price.conversion is None and not price.discount_percent:
        match price:
            case UnitPrice():
                return line.quantity - line.free, unit, price.amount, Decimal(1)
            case PackagePrice(begun=Begun.in_proportion):
                return line.quantity - line.free, unit, price.amount, Decimal(price.size)
    return _flat(line.amount)


def _flat(amount: Money) -> tuple[Decimal, str, Decimal, Decimal]:
    # A price is never below zero (BR-27), so what comes back is a quantity below zero.
    sign = Decimal(-1) if amount.micros < 0 else Decimal(1)
    return sign, _ONE, abs(amount.amount), Decimal(1)


def _charged(charge: Charge, words: Words, rate: Rate) -> Item:
    quantity, unit, price, per = _flat(charge.amount)
    return Item(
        number=0,
        name=words.title(charge.title),
        description="",
        quantity=quantity,
        unit=unit,
        price=price,
        per=per,
        amount=charge.amount,
        first_day=charge.first_day,
        last_day=charge.last_day,
        rate=rate,
    )


def _account(payment: str) -> str:
    """The first IBAN in the sentence that says how to pay; empty where there is none."""
    found = (candidate.group() for candidate in _IBAN.finditer(payment))
    return next((iban.compact(text) for text in found if iban.is_valid(text)), "")


def _anchor(snapshot: Snapshot, words: Words) -> list[str]:
    return [words.anchor(snapshot.ledger)] if snapshot.ledger else []
