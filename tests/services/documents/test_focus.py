"""Rows that add up to what is to be paid, to the cent."""

import csv
import io
from decimal import Decimal

import pytest

from services.billing.snapshot import Party
from services.documents.focus import COLUMNS, csv_of
from tests.services.documents.factories import create_invoice, usual_draft
from tests.services.documents.test_electronic import INVOICES


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


@pytest.mark.parametrize("name", INVOICES)
def test_costs_add_up_to_what_is_to_be_paid(name: str) -> None:
    snapshot = INVOICES[name]

    costs = [Decimal(row["BilledCost"]) for row in read(csv_of(snapshot))]

    comes_back = -1 if snapshot.corrects else 1
    assert sum(costs) == comes_back * snapshot.draft.payable.amount


def test_every_amount_has_a_row_and_every_row_all_columns() -> None:
    rows = read(csv_of(create_invoice()))

    assert [row["ChargeCategory"] for row in rows] == ["Usage"] * 4 + ["Tax", "Credit"]
    assert all(list(row) == list(COLUMNS) for row in rows)
    assert (
        rows[0]
        | {
            "ChargePeriodStart": "2026-11-02T23:00:00Z",
            "ChargePeriodEnd": "2026-11-03T23:00:00Z",
            "BillingPeriodStart": "2026-10-31T23:00:00Z",
            "BillingPeriodEnd": "2026-11-30T23:00:00Z",
            "ConsumedQuantity": "1000",
            "ConsumedUnit": "device-second",
            "ResourceName": "support-messages",
            "Tags": '{"device_class": "cuda"}',
        }
        == rows[0]
    )


def test_no_cell_is_a_formula() -> None:
    figures = usual_draft().named({"mv_1": '=HYPERLINK("http://x")', "job_1": "\t=1+1"})
    rows = read(csv_of(create_invoice(figures, customer=Party(name="@SUM(A1)", country="DE"))))

    cells = [cell for row in rows for name, cell in row.items() if not name.endswith(("Cost", "Quantity"))]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t"))]


def test_the_same_invoice_gives_the_same_bytes() -> None:
    assert csv_of(create_invoice()) == csv_of(create_invoice())
