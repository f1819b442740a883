"""Which rate of tax holds between a seller and a customer."""

from dataclasses import replace
from decimal import Decimal

import pytest

from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.money import Money
from services.billing.rating import Balance
from services.billing.taxation import Tax, TaxCategory, TaxCode, taxes_between
from tests.services.billing.factories import create_draft, credit, predictions, training

HOME = {TaxCode.standard: Tax(Decimal(19), ""), TaxCode.reduced: Tax(Decimal(7), "")}


@pytest.mark.parametrize(
    ("seller", "customer", "vat_id", "category"),
    [
        ("DE", "DE", "DE136695976", "S"),
        ("DE", "FR", "FR40303265045", "AE"),
        ("DE", "FR", "", "S"),
        ("DE", "GR", "EL094259216", "AE"),
        ("GR", "GR", "", "S"),
        ("DE", "CH", "", "O"),
        ("CH", "DE", "DE136695976", "S"),
        ("", "FR", "FR40303265045", "S"),
        ("DE", "", "", "S"),
    ],
)
def test_the_rate_follows_from_both_countries_and_the_checked_vat_id(
    seller: str, customer: str, vat_id: str, category: str
) -> None:
    found = taxes_between(HOME, seller=seller, customer=customer, vat_id=vat_id)

    assert found[TaxCode.standard].category == category
    assert (found[TaxCode.standard].percent == 0) == (category != "S")
    assert category == "S" or found[TaxCode.standard].note


def test_each_rate_has_a_group_and_an_allowance_is_divided_over_them() -> None:
    prices = tuple(
        replace(sold, tax_code=TaxCode.reduced) if sold.meter == "predictions" else sold
        for sold in PAY_AS_YOU_GO.prices
    )

    figures = create_draft(
        training("5000"),
        predictions(25_000),
        versions=[replace(PAY_AS_YOU_GO, prices=prices)],
        taxes=HOME,
        grants=(credit(1),),
    )

    groups = [
        (g.percent, g.gross.amount, g.allowance.amount, g.net.amount, g.tax.amount)
        for g in figures.tax_groups
    ]
    assert groups == [
        (19, 10, Decimal("0.67"), Decimal("9.33"), Decimal("1.77")),
        (7, 5, Decimal("0.33"), Decimal("4.67"), Decimal("0.33")),
    ]
    assert figures.total.amount == Decimal("16.10")


def test_credit_notes_pay_before_prepaid_credit_and_both_after_tax() -> None:
    figures = create_draft(
        predictions(50_000),
        tax=Tax(Decimal(19), ""),
        balances=[Balance("TP-CN-2", Money(1_000_000, "EUR")), Balance("TP-CN-1", Money(2_000_000, "EUR"))],
        grants=(credit(5, grant_id="bought", prepaid=True), credit(1, grant_id="given")),
    )

    assert (figures.net.amount, figures.tax.amount, figures.total.amount) == (
        9,
        Decimal("1.71"),
        Decimal("10.71"),
    )
    assert [(use.credit_note, use.amount.amount) for use in figures.balances] == [
        ("TP-CN-1", 2),
        ("TP-CN-2", 1),
    ]
    assert [(use.grant_id, use.prepaid, use.amount.amount) for use in figures.credits] == [
        ("given", False, 1),
        ("bought", True, 5),
    ]
    assert figures.payable.amount == Decimal("2.71")
    assert {group.category for group in figures.tax_groups} == {TaxCategory.standard}
