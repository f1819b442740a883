"""An invoice as a PDF: the snapshot's figures written out, and set by Typst from invoice.typ."""

import json
import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

import typst

from services.billing.invoicing import Line
from services.billing.money import MINOR_DIGITS, Money
from services.billing.pricing import PackagePrice, PercentagePrice, Price, UnitPrice
from services.billing.snapshot import Party, Snapshot
from services.metering.meters import meter

TEMPLATE = Path(__file__).with_name("invoice.typ")

# Tried in this order. Typst's own fonts hold Latin, Greek, Cyrillic and Hebrew; what they lack is looked for
# on the machine; what no font has becomes a box, which an archive format does not allow.
_WAYS: tuple[dict[str, Any], ...] = (
    {"ignore_system_fonts": True, "pdf_standards": "a-3b"},
    {"ignore_system_fonts": False, "pdf_standards": "a-3b"},
    {"ignore_system_fonts": False},
)
# A longer word is allowed to break anywhere, or it would run over its column.
_LONG_WORD = re.compile(r"\S{24}(?=\S{4})")
_UNITS = {"device-second": ("s", "s"), "prediction": ("", "prediction")}


def pdf(snapshot: Snapshot) -> bytes:
    """The invoice as PDF/A-3b; the same snapshot gives the same bytes.

    Names in scripts that Typst brings no font for, such as Chinese, depend on the fonts of the machine, and
    so do their bytes; without a font for them the document is a plain PDF with boxes in their place.
    """
    data = json.dumps(texts(snapshot), ensure_ascii=False, sort_keys=True)
    for way in _WAYS:
        try:
            return _compiled(data, snapshot.issued_on, way)
        except typst.TypstError as error:
            failure = error
    raise failure


def _compiled(data: str, day: date, way: dict[str, Any]) -> bytes:
    made: bytes = typst.compile(
        TEMPLATE,
        sys_inputs={"invoice": data},
        timestamp=datetime.combine(day, time(), UTC),
        **way,
    )
    return made


def texts(snapshot: Snapshot) -> dict[str, Any]:
    """Every text of the document by the place it has in invoice.typ, which reads none of it as markup."""
    draft = snapshot.draft
    return {
        "number": snapshot.number,
        "issued": _day(snapshot.issued_on),
        "due": _day(snapshot.due_on) if snapshot.due_on else None,
        "period": _days(snapshot.first_day, snapshot.last_day),
        "zone": snapshot.time_zone,
        "plan": snapshot.plan_title,
        "seller": _party(snapshot.seller),
        "customer": _party(snapshot.customer),
        "payment": snapshot.payment,
        "currency": draft.currency,
        "sections": [
            _section(list(lines), draft.currency)
            for _, lines in groupby(draft.lines, key=lambda line: (line.price_key, line.plan_version))
        ],
        "events": f"{sum(line.events for line in draft.lines):,}",
        "subtotal": _amount(draft.subtotal),
        "credits": [
            {"reason": use.reason, "amount": _amount(-use.amount)} for use in draft.credits if not use.prepaid
        ],
        "charges": [{"title": item.title, "amount": _amount(item.amount)} for item in draft.charges],
        "discounts": [{"title": item.title, "amount": _amount(-item.amount)} for item in draft.discounts],
        "taxes": [
            {"percent": _plain(group.percent), "net": _amount(group.net), "amount": _amount(group.tax)}
            for group in draft.tax_groups
        ],
        "tax_notes": sorted({group.note for group in draft.tax_groups if group.note}),
        "balances": [
            {"title": f"Credit note {use.credit_note}", "amount": _amount(-use.amount)}
            for use in draft.balances
        ],
        "prepaid": [
            {"reason": use.reason, "amount": _amount(-use.amount)} for use in draft.credits if use.prepaid
        ],
        "total": _amount(draft.payable),
        "is_owed": draft.payable.micros > 0,
    }


def _party(party: Party) -> dict[str, Any]:
    return {
        "name": _breakable(party.name),
        "address": [_breakable(line) for line in party.address],
        "tax_id": party.tax_id,
    }


def _section(lines: list[Line], currency: str) -> dict[str, Any]:
    subtotal = sum((line.amount for line in lines), Money.zero(currency))
    return {
        "title": lines[0].title,
        "subtotal": _amount(subtotal),
        "lines": [
            {
                "name": _breakable(line.name),
                "reference": line.subject,
                "day": _days(line.first_day, line.last_day, year=False),
                "quantity": _quantity(line),
                "price": _rate(line.price, meter(line.meter).unit, MINOR_DIGITS[currency]),
                "amount": _amount(line.amount),
            }
            for line in lines
        ],
    }


def _quantity(line: Line) -> str:
    short, _ = _UNITS[meter(line.meter).unit]
    written = f"{_plain(line.quantity)} {short}".rstrip()
    return f"{written}, {_plain(line.free)} free" if line.free else written


def _rate(price: Price, unit: str, digits: int) -> str:
    _, one = _UNITS[unit]
    match price:
        case PackagePrice():
            return f"{_plain(price.amount, at_least=digits)} / {price.size:,}"
        case UnitPrice():
            return f"{_plain(price.amount, at_least=digits)} / {one}"
        case PercentagePrice():
            return f"{_plain(price.percent)} %"
        case _:
            return price.kind


def _amount(money: Money) -> str:
    digits = MINOR_DIGITS[money.currency]
    return f"{money.amount:,.{digits}f}".replace("-", "−")


def _plain(number: Decimal, *, at_least: int = 0) -> str:
    # All its digits, none behind the point that say nothing, thousands apart.
    whole, _, fraction = f"{number:,f}".partition(".")
    fraction = fraction.rstrip("0").ljust(at_least, "0")
    return f"{whole}.{fraction}" if fraction else whole


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _days(first: date, last: date, *, year: bool = True) -> str:
    if not year:
        return f"{first.day} {first:%b}" if first == last else f"{first.day}–{last.day} {last:%b}"
    same_month = (first.year, first.month) == (last.year, last.month)
    return f"{first.day}–{_day(last)}" if same_month else f"{_day(first)} – {_day(last)}"


def _breakable(text: str) -> str:
    text = "".join(character if character.isprintable() else " " for character in text)
    return _LONG_WORD.sub("\\g<0>\u200b", text)
