"""Amounts of money: whole micro-units of one currency, and the one place where they are rounded."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow

from services.errors import Invalid

MICROS = 1_000_000

# Digits after the point of the currencies that are invoiced in. Source: ISO 4217, list one, kept by SIX.
MINOR_DIGITS = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("AED", "AUD", "BRL", "CAD", "CHF", "CNY", "COP", "CZK", "DKK", "EGP", "EUR", "GBP"), 2),
    **dict.fromkeys(("HKD", "HUF", "IDR", "ILS", "INR", "KES", "MAD", "MXN", "MYR", "NGN", "NOK", "NZD"), 2),
    **dict.fromkeys(("PEN", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "SAR", "SEK", "SGD", "THB", "TRY"), 2),
    **dict.fromkeys(("TWD", "UAH", "USD", "ZAR"), 2),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}

_TRAPS = [InvalidOperation, DivisionByZero, Overflow]
# Arithmetic on amounts is exact, or it raises: Python's default would round silently at 28 digits.
EXACT = Context(prec=100, traps=[*_TRAPS, Inexact])
# The decimal module calls half away from zero "half up".
_ROUNDING = Context(prec=100, rounding=ROUND_HALF_UP, traps=_TRAPS)

# The smallest coin of each.
_COIN = {currency: Decimal(1).scaleb(-digits) for currency, digits in MINOR_DIGITS.items()}


class UnknownCurrency(Invalid):
    """Not a currency that is invoiced in."""

    code = "unknown_currency"

    def __init__(self, currency: str) -> None:
        super().__init__(f"“{currency}” is not a currency we invoice in. Use its ISO 4217 code, such as EUR.")
        self.currency = currency


class MixedCurrencies(TypeError):
    """Two currencies met in one sum: a mistake of the program, never of the customer."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} and {other} do not add up without a rate of exchange")
        self.one, self.other = one, other


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: integer micro-units of a currency (1 EUR = 1,000,000).

    Raises:
        TypeError: the amount is not an int, or a sum mixes currencies (MixedCurrencies).
        UnknownCurrency: the currency is none of MINOR_DIGITS.
    """

    micros: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.micros) is not int:
            raise TypeError(f"money is counted in whole micro-units, not in {type(self.micros).__name__}")
        if self.currency not in MINOR_DIGITS:
            raise UnknownCurrency(self.currency)

    @classmethod
    def zero(cls, currency: str) -> "Money":
        """Nothing, in a currency."""
        return cls(0, currency)

    @property
    def amount(self) -> Decimal:
        """The exact amount in major units: Decimal("1.5") for 1,500,000 micro-units."""
        return Decimal(self.micros).scaleb(-6, EXACT)

    def __str__(self) -> str:
        return f"{self.amount:,.{MINOR_DIGITS[self.currency]}f} {self.currency}"

    def __add__(self, other: "Money") -> "Money":
        return Money(self.micros + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.micros - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.micros, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.micros < self._same(other)

    def __le__(self, other: "Money") -> bool:
        return self.micros <= self._same(other)

    def __gt__(self, other: "Money") -> bool:
        return self.micros > self._same(other)

    def __ge__(self, other: "Money") -> bool:
        return self.micros >= self._same(other)

    def _same(self, other: "Money") -> int:
        if not isinstance(other, Money):
            raise TypeError(f"money and {type(other).__name__} do not mix")
        if other.currency != self.currency:
            raise MixedCurrencies(self.currency, other.currency)
        return other.micros


def rounded(amount: Decimal, currency: str) -> Money:
    """An exact amount in major units, rounded to the currency's minor unit, half away from zero.

    Every figure of an invoice passes here once, and no sum of rounded figures passes again.
    """
    if not isinstance(amount, Decimal):
        raise TypeError(f"an amount is a Decimal, not {type(amount).__name__}")
    if currency not in MINOR_DIGITS:
        raise UnknownCurrency(currency)
    minor = amount.quantize(_COIN[currency], context=_ROUNDING)
    return Money(int(minor.scaleb(6, EXACT)), currency)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of amounts of one currency; zero of none."""
    nothing, micros = Money.zero(currency), 0
    for amount in amounts:
        if type(amount) is not Money or amount.currency != currency:
            nothing._same(amount)  # says what is wrong
        micros += amount.micros
    return Money(micros, currency)


def by_currency(amounts: Iterable[Money]) -> list[Money]:
    """The sum of the amounts of each currency, by its code."""
    sums: dict[str, Money] = {}
    for amount in amounts:
        sums[amount.currency] = sums.get(amount.currency, Money.zero(amount.currency)) + amount
    return [sums[currency] for currency in sorted(sums)]
