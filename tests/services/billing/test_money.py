"""Money is whole micro-units, rounded once."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.money import (
    MICROS,
    MINOR_DIGITS,
    MixedCurrencies,
    Money,
    UnknownCurrency,
    rounded,
    total,
)


@pytest.mark.parametrize(
    ("amount", "currency", "micros"),
    [
        ("1.225", "EUR", 1_230_000),
        ("-1.225", "EUR", -1_230_000),
        ("1.2249999999999999999999999999999999", "EUR", 1_220_000),
        ("0.005", "EUR", 10_000),
        ("2.5", "JPY", 3_000_000),
        ("1.2346", "JPY", 1_000_000),
        ("1.2345", "KWD", 1_235_000),
        ("0", "EUR", 0),
    ],
)
def test_rounding_is_half_away_from_zero_to_the_minor_unit(amount: str, currency: str, micros: int) -> None:
    assert rounded(Decimal(amount), currency) == Money(micros, currency)


@pytest.mark.parametrize("amount", [1.0, True, "1", Decimal(1), None])
def test_money_of_another_type_than_int_is_refused(amount: object) -> None:
    with pytest.raises(TypeError):
        Money(amount, "EUR")  # type: ignore[arg-type]


def test_a_float_is_not_rounded_into_money() -> None:
    with pytest.raises(TypeError):
        rounded(1.5, "EUR")  # type: ignore[arg-type]


def test_currencies_do_not_mix() -> None:
    euro, yen = Money(MICROS, "EUR"), Money(MICROS, "JPY")

    for mixed in (
        lambda: euro + yen,
        lambda: euro - yen,
        lambda: euro < yen,
        lambda: total([euro, yen], "EUR"),
    ):
        with pytest.raises(MixedCurrencies):
            mixed()


def test_money_and_a_number_do_not_mix() -> None:
    with pytest.raises(TypeError, match="int"):
        Money(1, "EUR") + 1  # type: ignore[operator]


def test_an_unknown_currency_is_refused() -> None:
    for make in (lambda: Money(1, "DEM"), lambda: rounded(Decimal(1), "eur")):
        with pytest.raises(UnknownCurrency, match="ISO 4217"):
            make()


def test_a_sum_of_nothing_is_zero() -> None:
    assert total([], "EUR") == Money.zero("EUR")


def test_money_is_written_with_the_digits_of_its_currency() -> None:
    assert str(Money(1_234_500_000, "EUR")) == "1,234.50 EUR"
    assert str(Money(1_234_000_000, "JPY")) == "1,234 JPY"
    assert str(Money(1_500_000, "KWD")) == "1.500 KWD"


@given(st.decimals("-1e15", "1e15", places=14), st.sampled_from(sorted(MINOR_DIGITS)))
def test_a_rounded_amount_is_whole_minor_units_and_at_most_half_of_one_away(
    amount: Decimal, currency: str
) -> None:
    money = rounded(amount, currency)
    unit = 10 ** (6 - MINOR_DIGITS[currency])

    assert money.micros % unit == 0
    assert abs(money.amount - amount) * 2 <= Decimal(unit).scaleb(-6)


@given(st.lists(st.integers(-(10**18), 10**18)))
def test_adding_up_is_exact_in_any_order(micros: list[int]) -> None:
    amounts = [Money(amount, "EUR") for amount in micros]

    assert total(amounts, "EUR") == total(reversed(amounts), "EUR") == Money(sum(micros), "EUR")
