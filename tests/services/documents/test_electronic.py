"""The electronic invoice passes the law's own rules in both syntaxes, and a cent too much does not."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.invoicing import Charge, ChargeKind
from services.billing.money import MICROS, Money
from services.billing.plans import LinePer, PlanPrice
from services.billing.pricing import Begun, GraduatedPrice, PackagePrice, UnitPrice
from services.billing.snapshot import Language, Party, Snapshot
from services.billing.taxation import Tax, TaxCategory
from services.billing.tiers import Tier
from services.documents import cii, semantic, ubl
from services.documents.semantic import NoElectronicInvoice
from tests.services.billing.factories import (
    PERIOD,
    create_draft,
    credit,
    day,
    predictions,
    training,
)
from tests.services.documents.factories import (
    BUYER,
    PAYMENT,
    REVERSE,
    SELLER,
    VAT_19,
    create_invoice,
    usual_draft,
)
from tests.services.documents.rules import broken_in_cii, broken_in_ubl

SYNTAXES = [(cii, broken_in_cii), (ubl, broken_in_ubl)]


def charge(kind: ChargeKind, cents: int) -> Charge:
    return Charge(
        key=kind,
        kind=kind,
        title=f"A {kind}",
        first_day=PERIOD[0],
        last_day=PERIOD[1],
        amount=Money(cents * MICROS // 100, "EUR"),
    )


def sold_at(price: object) -> Snapshot:
    """Predictions at this price: a first day that reaches into it, and a second on top."""
    sold = PlanPrice(
        key="predictions",
        title="Predictions",
        meter="predictions",
        where={},
        price=price,  # type: ignore[arg-type]
        line_per=LinePer.day_and_subject,
    )
    plan = replace(PAY_AS_YOU_GO, prices=(sold,))
    figures = create_draft(predictions(1_234), predictions(777, day=day(4)), versions=[plan], tax=VAT_19)
    return create_invoice(figures)


INVOICES = {
    "usual": create_invoice(),
    "german": create_invoice(language=Language.german),
    "chinese": create_invoice(language=Language.chinese),
    "reverse charge": create_invoice(usual_draft(REVERSE)),
    "exempt": create_invoice(usual_draft(Tax(Decimal(0), "Small business.", TaxCategory.exempt))),
    "outside of VAT": create_invoice(
        usual_draft(Tax(Decimal(0), "Not subject to VAT.", TaxCategory.outside_scope))
    ),
    "seller without VAT id": create_invoice(
        usual_draft(Tax(Decimal(0), "No VAT is charged.", TaxCategory.exempt)),
        seller=SELLER.model_copy(update={"tax_id": ""}),
    ),
    "no account": create_invoice(payment="We send a link.", reference=""),
    "paid ahead": create_invoice(
        create_draft(training("100000"), tax=VAT_19, grants=(credit(150, prepaid=True),))
    ),
    "nothing to pay": create_invoice(create_draft(training("100"), tax=VAT_19, grants=(credit(10),))),
    "fees and what comes back": create_invoice(
        create_draft(
            training("1000"),
            tax=VAT_19,
            charges=(charge(ChargeKind.fee, 4_900), charge(ChargeKind.unused, -1_733)),
        )
    ),
    "many lines": create_invoice(
        create_draft(*(predictions(137 * n, day=day(n)) for n in range(1, 31)), tax=Tax(Decimal("7.7"), ""))
    ),
    "unit price with free use": sold_at(UnitPrice(amount=Decimal("0.00123"), free=Decimal(300))),
    "begun packages": sold_at(PackagePrice(amount=Decimal("0.37"), size=100, begun=Begun.whole)),
    "tiers": sold_at(
        GraduatedPrice(
            flat_at_zero=False,
            tiers=(
                Tier(up_to=Decimal(1_000), unit_amount=Decimal("0.013"), flat_amount=Decimal(1)),
                Tier(up_to=None, unit_amount=Decimal("0.007")),
            ),
        )
    ),
    "hostile names": create_invoice(
        usual_draft().named({"mv_1": "<b>&amp;]]></b>\x07", "job_1": "株式会社 🦄"}),
        customer=BUYER.model_copy(update={"name": "A & B <GmbH> \x00"}),
    ),
    "credit note": create_invoice(number="TPC-2026-000007", corrects="TP-2026-000042", due_on=None),
}


@pytest.mark.parametrize("syntax", SYNTAXES, ids=["cii", "ubl"])
@pytest.mark.parametrize("name", INVOICES)
def test_every_kind_of_invoice_passes_the_rules(name: str, syntax: tuple) -> None:
    written, broken = syntax

    assert broken(written.xml(semantic.of(INVOICES[name]))) == []


# Which sums the standard checks, as each syntax names them; UBL's rules let a taxable amount differ by one.
_SUMS = {
    "cii": (
        "LineTotalAmount AllowanceTotalAmount TaxBasisTotalAmount TaxTotalAmount GrandTotalAmount "
        "DuePayableAmount CalculatedAmount BasisAmount ActualAmount"
    ),
    "ubl": (
        "LineExtensionAmount TaxExclusiveAmount TaxInclusiveAmount AllowanceTotalAmount PayableAmount "
        "TaxAmount Amount"
    ),
}


@pytest.mark.parametrize(
    ("syntax", "sums"), list(zip(SYNTAXES, _SUMS.values(), strict=True)), ids=["cii", "ubl"]
)
def test_one_cent_more_in_any_sum_is_noticed(syntax: tuple, sums: str) -> None:
    written, broken = syntax
    document = written.xml(semantic.of(INVOICES["usual"])).decode()

    for name in sums.split():
        *_, last = re.finditer(rf"<(?:ram|cbc):{name}(?: [^>]*)?>([\d.]+)<", document)
        dearer = f"{Decimal(last[1]) + Decimal('0.01')}"
        tampered = document[: last.start(1)] + dearer + document[last.end(1) :]
        assert broken(tampered.encode()) != [], name


def test_the_same_invoice_gives_the_same_bytes() -> None:
    for written, _ in SYNTAXES:
        again = semantic.of(Snapshot.from_json(create_invoice().to_json()))
        assert written.xml(again) == written.xml(semantic.of(create_invoice()))


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"number": None, "due_on": None}, "a number"),
        ({"seller": SELLER.model_copy(update={"country": ""})}, "the seller’s country"),
        ({"customer": Party(name="Acme")}, "the customer’s country"),
        ({"seller": SELLER.model_copy(update={"tax_id": ""})}, "the seller’s VAT id"),
        ({"figures": create_draft()}, "a line"),
        (
            {"figures": usual_draft(REVERSE), "customer": BUYER.model_copy(update={"tax_id": ""})},
            "the customer’s VAT id",
        ),
    ],
)
def test_what_the_standard_asks_for_is_named(changes: dict, missing: str) -> None:
    with pytest.raises(NoElectronicInvoice, match=missing):
        semantic.of(create_invoice(**changes))


def test_an_account_is_found_in_the_sentence_that_says_how_to_pay() -> None:
    assert semantic.of(create_invoice()).iban == "DE89370400440532013000"
    wrong = PAYMENT.replace("DE89", "DE88")
    assert semantic.of(create_invoice(payment=wrong)).iban == ""


def test_lines_multiply_to_their_amounts() -> None:
    for snapshot in INVOICES.values():
        for item in semantic.of(snapshot).items:
            exact = item.quantity * item.price / item.per
            assert abs(exact - item.amount.amount) <= Decimal("0.005"), item


def test_days_are_those_of_the_invoice() -> None:
    document = cii.xml(semantic.of(create_invoice())).decode()

    assert f"{date(2026, 12, 2):%Y%m%d}" in document
    assert f"{date(2026, 12, 16):%Y%m%d}" in document
