"""An invoice as a PDF: the snapshot's figures written out, and set by Typst from invoice.typ.

Where the standard allows an electronic form, the PDF carries it: a Factur-X invoice of the profile EN 16931.
"""

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
from services.billing.pricing import PackagePrice, PercentagePrice, UnitPrice
from services.billing.snapshot import Party, Snapshot
from services.documents import archive, cii, semantic
from services.documents.words import CHECKED, COUNTED, CREDITED, SO_FAR, Words, words_of
from services.metering.meters import TRAINING_SECONDS, meter

TEMPLATE = Path(__file__).with_name("invoice.typ")

# Tried in this order. Typst's own fonts hold Latin, Greek, Cyrillic and Hebrew; what they lack is looked for
# on the machine; what no font has becomes a box, which an archive format does not allow.
WAYS: tuple[dict[str, Any], ...] = (
    {"ignore_system_fonts": True, "pdf_standards": "a-3b"},
    {"ignore_system_fonts": False, "pdf_standards": "a-3b"},
    {"ignore_system_fonts": False},
)
# A longer word is allowed to break anywhere, or it would run over its column.
_LONG_WORD = re.compile(r"\S{24}(?=\S{4})")
# What stands behind a quantity and behind the slash of a price.
_UNITS = {"device-second": ("s", "s"), "GB-hour": ("GB·h", "GB·h")}
_LABELS = (
    "Invoice",
    "Credit note",
    "Draft invoice",
    "DRAFT",
    "Billed to",
    "Number",
    "Credits invoice",
    "Date of issue",
    "Due",
    "Figures as of",
    "Billing period",
    "Time zone",
    "Plan",
    "Your reference",
    "VAT ID",
    "Amount due by",
    "Amount credited",
    "Nothing is due.",
    "Description",
    "Day",
    "Quantity",
    "Unit price",
    "Amount in",
    "Other charges",
    "Subtotal",
    "VAT",
    "of",
    "Total in",
    "To pay in",
    "Credited in",
    "Nothing was used in this period.",
    "Page {page} of {pages}",
    SO_FAR,
)


def pdf(snapshot: Snapshot) -> bytes:
    """The invoice as PDF/A-3b; the same snapshot gives the same bytes.

    Names in scripts that Typst brings no font for, such as Chinese, depend on the fonts of the machine, and
    so do their bytes; without a font for them the document is a plain PDF with boxes in their place.
    """
    inputs = {"invoice": json.dumps(texts(snapshot), ensure_ascii=False, sort_keys=True)}
    carries = not semantic.missing_for(snapshot)
    if carries:
        inputs["attachment"] = cii.xml(semantic.of(snapshot)).decode()
    for way in WAYS:
        try:
            made = _compiled(inputs, snapshot.issued_on, way)
        except typst.TypstError as error:
            failure = error
        else:
            return archive.described(made) if carries and "pdf_standards" in way else made
    raise failure


def _compiled(inputs: dict[str, str], day: date, way: dict[str, Any]) -> bytes:
    made: bytes = typst.compile(
        TEMPLATE, sys_inputs=inputs, timestamp=datetime.combine(day, time(), UTC), **way
    )
    return made


def texts(snapshot: Snapshot) -> dict[str, Any]:
    """Every text of the document by the place it has in invoice.typ, which reads none of it as markup."""
    draft, words = snapshot.draft, words_of(snapshot.language)
    events = sum(line.events for line in draft.lines)
    return {
        "language": snapshot.language,
        "words": {label: words.of(label) for label in _LABELS},
        "number": snapshot.number,
        "corrects": snapshot.corrects,
        "issued": words.day(snapshot.issued_on),
        "due": words.day(snapshot.due_on) if snapshot.due_on else None,
        "period": words.days(snapshot.first_day, snapshot.last_day),
        "zone": snapshot.time_zone,
        "plan": words.of(snapshot.plan_title),
        "reference": _breakable(snapshot.reference),
        "seller": _party(snapshot.seller),
        "customer": _party(snapshot.customer),
        "payment": snapshot.payment,
        "terms": words.of(CREDITED) if snapshot.corrects else words.payable_within(snapshot.payment_days),
        "currency": draft.currency,
        "sections": _sections(snapshot, words),
        "subtotal": words.amount(draft.subtotal),
        "reductions": [
            {"title": words.of(title), "amount": words.amount(-amount)}
            for title, amount in _reductions(snapshot)
        ],
        "taxes": [
            {
                "percent": words.number(group.percent),
                "net": words.amount(group.net),
                "amount": words.amount(group.tax),
            }
            for group in draft.tax_groups
        ],
        "tax_notes": sorted({words.of(group.note) for group in draft.tax_groups if group.note}),
        "total": words.amount(draft.total),
        "payments": [
            {"title": words.of(title), "amount": words.amount(-amount)}
            for title, amount in _payments(snapshot)
        ],
        "payable": words.amount(draft.payable),
        "is_owed": draft.payable.micros > 0,
        "proof": [
            *([words.say(COUNTED, events=words.number(Decimal(events)))] if draft.lines else []),
            *([f"{words.anchor(snapshot.ledger)} {words.of(CHECKED)}"] if snapshot.ledger else []),
        ],
    }


def _reductions(snapshot: Snapshot) -> list[tuple[str, Money]]:
    """What comes off before tax."""
    draft = snapshot.draft
    given = [(use.reason, use.amount) for use in draft.credits if not use.prepaid]
    return [*((one.title, one.amount) for one in draft.discounts), *given]


def _payments(snapshot: Snapshot) -> list[tuple[str, Money]]:
    """What pays of the total."""
    draft, words = snapshot.draft, words_of(snapshot.language)
    noted = [(f"{words.of('Credit note')} {use.credit_note}", use.amount) for use in draft.balances]
    return [*noted, *((use.reason, use.amount) for use in draft.credits if use.prepaid)]


def _party(party: Party) -> dict[str, Any]:
    place = f"{party.postcode} {party.city}".strip()
    told = any(party.city in line for line in party.address)
    lines = [*party.address, *([place] if place and not told else [])]
    return {
        "name": _breakable(party.name),
        "address": [_breakable(line) for line in lines],
        "tax_id": party.tax_id,
    }


def _sections(snapshot: Snapshot, words: Words) -> list[dict[str, Any]]:
    draft = snapshot.draft
    by_price = groupby(draft.lines, key=lambda line: (line.price_key, line.plan, line.plan_version))
    sections = [
        _section(words.of(lines[0].title), [_used(line, words) for line in lines], lines, words)
        for lines in (list(group) for _, group in by_price)
    ]
    if draft.charges:
        rows = [
            {
                "name": _breakable(words.title(charge.title)),
                "reference": charge.corrects,
                "day": words.short_days(charge.first_day, charge.last_day),
                "quantity": "",
                "price": "",
                "amount": words.amount(charge.amount),
            }
            for charge in draft.charges
        ]
        title = "Taken back" if snapshot.corrects else "Other charges"
        sections.append(_section(words.of(title), rows, draft.charges, words))
    return sections


def _section(title: str, rows: list[dict[str, str]], items: Any, words: Words) -> dict[str, Any]:
    first, *others = (item.amount for item in items)
    return {"title": title, "subtotal": words.amount(sum(others, first)), "lines": rows}


def _used(line: Line, words: Words) -> dict[str, str]:
    return {
        "name": _breakable(line.name),
        # A version's name says which; of jobs several may have made the same model.
        "reference": line.subject if line.meter == TRAINING_SECONDS.name else "",
        "day": words.short_days(line.first_day, line.last_day),
        "quantity": _quantity(line, words),
        "price": _rate(line, words),
        "amount": words.amount(line.amount),
    }


def _quantity(line: Line, words: Words) -> str:
    short, _ = _UNITS.get(meter(line.meter).unit, ("", ""))
    written = f"{words.number(line.quantity)} {short}".rstrip()
    return f"{written}, {words.number(line.free)} {words.of('free')}" if line.free else written


def _rate(line: Line, words: Words) -> str:
    unit, digits = meter(line.meter).unit, MINOR_DIGITS[line.amount.currency]
    _, one = _UNITS.get(unit, ("", words.of(unit)))
    match line.price:
        case PackagePrice(amount=amount, size=size):
            return f"{words.number(amount, at_least=digits)} / {words.number(Decimal(size))}"
        case UnitPrice(amount=amount):
            return f"{words.number(amount, at_least=digits)} / {one}"
        case PercentagePrice(percent=percent):
            return f"{words.number(percent)} %"
        case tiered:
            return words.of(tiered.kind)


def _breakable(text: str) -> str:
    text = "".join(character if character.isprintable() else " " for character in text)
    return _LONG_WORD.sub("\\g<0>\u200b", text)
