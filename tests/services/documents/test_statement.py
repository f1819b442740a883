"""A partner's statement as PDF and CSV: the page's figures, and the same bytes every time."""

import csv
import io
from datetime import date

from services.billing.money import Money
from services.billing.partners import Share, Statement
from services.billing.period import Month
from services.billing.tables import Partner
from services.documents.statement import statement_csv, statement_pdf

DAY = date(2026, 12, 3)


def euros(cents: int) -> Money:
    return Money(cents * 10_000, "EUR")


def create_statement(*shares: Share) -> Statement:
    return Statement(
        partner=Partner(id="partner_1", name="Wienfluss & Söhne", share_percent="12.5"),
        month=Month(2026, 11),
        shares=shares,
        totals=(euros(13_500),) if shares else (),
    )


ACME = Share("=Acme", "TP-2026-000005", euros(108_000), euros(13_500))


def test_the_csv_has_a_row_for_each_invoice_and_runs_nothing() -> None:
    made = statement_csv(create_statement(ACME))

    [row] = csv.DictReader(io.StringIO(made.content.decode()))
    assert (row["before_tax"], row["share_percent"], row["share"]) == ("1080.00", "12.5", "135.00")
    assert row["workspace"] == "'=Acme"
    assert made.name == "statement-Wienfluss---Söhne-2026-11.csv"


def test_the_pdf_is_an_archive_and_the_same_when_made_again() -> None:
    first, again = (statement_pdf(create_statement(ACME), day=DAY) for _ in range(2))

    assert first == again
    assert first.content.startswith(b"%PDF")
    assert b"pdfaid" in first.content


def test_a_month_without_invoices_is_a_document_too() -> None:
    assert statement_pdf(create_statement(), day=DAY).content.startswith(b"%PDF")
