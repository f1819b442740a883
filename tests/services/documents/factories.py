"""Invoices that have everything the law asks for, by keyword."""

from decimal import Decimal

from services.billing.invoicing import Draft
from services.billing.snapshot import Party, Snapshot
from services.billing.taxation import Tax, TaxCategory
from services.ledger.block import Head
from tests.services.billing.factories import create_draft, create_snapshot, credit, day, predictions, training

SELLER = Party(
    name="Tuneport GmbH",
    address=("Example Way 12",),
    tax_id="DE123456788",
    country="DE",
    city="Berlin",
    postcode="10115",
    email="billing@tuneport.example",
)
BUYER = Party(
    name="Acme AG",
    address=("Hauptstr. 1", "Stiege 2"),
    tax_id="ATU13585627",
    country="AT",
    city="Wien",
    postcode="1010",
)
PAYMENT = "Bank transfer to IBAN DE89 3704 0044 0532 0130 00."
VAT_19 = Tax(Decimal(19), "")
REVERSE = Tax(Decimal(0), "Reverse charge.", TaxCategory.reverse_charge)


def usual_draft(tax: Tax = VAT_19) -> Draft:
    """Training, three days of predictions, a trial credit, VAT."""
    figures = create_draft(
        training("1000"),
        predictions(500_000),
        predictions(18_231, day=day(4)),
        predictions(1_000, subject="mv_2"),
        grants=(credit(10),),
        tax=tax,
    )
    return figures.named({"job_1": "support-messages", "mv_1": "support-messages, version 3"})


def create_invoice(figures: Draft | None = None, **changes: object) -> Snapshot:
    fields = {
        "seller": SELLER,
        "customer": BUYER,
        "payment": PAYMENT,
        "reference": "PO-7781",
        "ledger": Head(blocks=3, events=20_417, hash="9f" * 32),
    }
    return create_snapshot(figures or usual_draft(), **(fields | changes))
