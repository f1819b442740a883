"""A partner's month as a document: PDF/A for people, CSV for a spreadsheet."""

import csv
import io
import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import typst

from services.billing.heading import seller
from services.billing.partners import Statement
from services.billing.snapshot import Language
from services.datasets.cells import inert
from services.documents.files import Document
from services.documents.pdf import WAYS
from services.documents.words import words_of
from services.documents.xml import amount

TEMPLATE = Path(__file__).with_name("statement.typ")
_COLUMNS = ("partner", "month", "workspace", "invoice", "currency", "before_tax", "share_percent", "share")


def statement_pdf(told: Statement, *, day: date) -> Document:
    """The statement as of a day; the same statement of the same day gives the same bytes.

    Names in scripts that Typst brings no font for depend on the fonts of the machine, as on invoices.
    """
    inputs = {"statement": json.dumps(_texts(told, day), ensure_ascii=False, sort_keys=True)}
    for way in WAYS:
        try:
            made: bytes = typst.compile(
                TEMPLATE, sys_inputs=inputs, timestamp=datetime.combine(day, time(), UTC), **way
            )
        except typst.TypstError as error:
            failure = error
        else:
            return Document(f"{_name(told)}.pdf", "application/pdf", made)
    raise failure


def statement_csv(told: Statement) -> Document:
    """A row for each invoice, amounts in major units."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    for share in told.shares:
        writer.writerow(
            [
                inert(told.partner.name),
                str(told.month),
                inert(share.workspace),
                share.number,
                share.net.currency,
                amount(share.net),
                told.partner.share_percent,
                amount(share.share),
            ]
        )
    return Document(f"{_name(told)}.csv", "text/csv; charset=utf-8", file.getvalue().encode())


def _texts(told: Statement, day: date) -> dict[str, Any]:
    words, from_us = words_of(Language.english), seller()
    place = f"{from_us.postcode} {from_us.city}".strip()
    return {
        "seller": {"name": from_us.name, "address": [*from_us.address, *([place] if place else [])]},
        "partner": told.partner.name,
        "month": f"{told.month.first:%B %Y}",
        "day": words.day(day),
        "share": f"{words.number(Decimal(told.partner.share_percent))} %",
        "totals": [f"{words.amount(total)} {total.currency}" for total in told.totals],
        "rows": [
            [
                share.workspace,
                share.number,
                f"{words.amount(share.net)} {share.net.currency}",
                f"{words.amount(share.share)} {share.share.currency}",
            ]
            for share in told.shares
        ],
    }


def _name(told: Statement) -> str:
    plain = "".join(letter if letter.isalnum() else "-" for letter in told.partner.name).strip("-")
    return f"statement-{plain or told.partner.id}-{told.month}"
