"""Figures as people read them. Pure: no clock, no locale, no database."""

from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal

from services.billing.money import MINOR_DIGITS, Money
from services.billing.pricing import PackagePrice, PercentagePrice, Price, UnitPrice

_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
# A unit price keeps this many digits that are not leading zeros.
_UNIT_PRICE_DIGITS = 2
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def money(micros: int, currency: str) -> str:
    """An amount in micro-units, to the currency's minor unit: "€1.23", "−€0.50", "CHF 7.00".

    What is not nothing but too small to show is "less than" the smallest coin.
    """
    digits = MINOR_DIGITS[currency]
    coin = Decimal(1).scaleb(-digits)
    amount = abs(Decimal(micros).scaleb(-6))
    sign = "−" if micros < 0 else ""
    if 0 < amount < coin / 2:
        return f"< {_prefix(currency)}{coin}" if not sign else f"> −{_prefix(currency)}{coin}"
    return f"{sign}{_prefix(currency)}{amount.quantize(coin, ROUND_HALF_UP):,}"


def amount(value: Money) -> str:
    """`money` of a Money."""
    return money(value.micros, value.currency)


def amounts(sums: Sequence[Money]) -> str:
    """Sums of several currencies: "€12.00 and $3.00", or "none" of none."""
    return " and ".join(amount(one) for one in sums) or "none"


def leading(sums: Sequence[Money]) -> tuple[str, str]:
    """Sums of several currencies where there is room for one: "€12.00", and "and $3.00" beside it."""
    return amounts(sums[:1]), f"and {amounts(sums[1:])}" if len(sums) > 1 else ""


def unit_price(price: Decimal, currency: str) -> str:
    """A price of one unit in major units, with as many digits as it takes: "€0.0001", "€0.0020", "€7.20"."""
    digits = MINOR_DIGITS[currency]
    leading_zeros = -price.adjusted() - 1 if 0 < price < 1 else 0
    shown = max(digits, leading_zeros + _UNIT_PRICE_DIGITS) if leading_zeros else digits
    return f"{_prefix(currency)}{price.quantize(Decimal(1).scaleb(-shown), ROUND_HALF_UP):,}"


def price(sold: Price, unit: str, currency: str) -> str:
    """A price in words: "€0.20 per 1,000", "€0.0020 per device-second", "2.9 %"."""
    match sold:
        case PackagePrice():
            return f"{unit_price(sold.amount, currency)} per {sold.size:,}"
        case UnitPrice() if sold.conversion is not None:
            return f"{unit_price(sold.amount, currency)} per {sold.conversion.divide_by.normalize():,f}"
        case UnitPrice():
            return f"{unit_price(sold.amount, currency)} per {unit}"
        case PercentagePrice():
            return f"{sold.percent.normalize():f} %"
        case _:
            first = unit_price(sold.tiers[0].unit_amount, currency)
            return f"{first} per {unit} at first, in {len(sold.tiers)} tiers"


def money_range(low: int, high: int, currency: str) -> str:
    """Two amounts in micro-units: "€0.01 to €0.03", or one where both look the same."""
    first, last = money(low, currency), money(high, currency)
    return first if first == last else f"{first} to {last}"


def duration(seconds: float) -> str:
    """A measured duration: "0.8 s", "42 s", "3 min 5 s", "2 h 10 min", "3 d 4 h"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(whole, _MINUTE, "min", 1, "s")
    if whole < _DAY:
        return _two(whole, _HOUR, "h", _MINUTE, "min")
    return _two(whole, _DAY, "d", _HOUR, "h")


def rough(seconds: float) -> str:
    """A measured duration in one unit, where there is little room: "38 s", "3 min", "2 h"."""
    whole = round(seconds)
    for size, unit in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if whole >= size:
            return f"{round(whole / size)} {unit}"
    return f"{whole} s"


def about(seconds: float) -> str:
    """An expected duration, no more exact than it is known: "about 40 s", "3 min", "about 2 h"."""
    if seconds < 5:
        return "a few seconds"
    if seconds < 55:
        return f"about {max(5, round(seconds / 5) * 5)} s"
    if seconds < 50 * _MINUTE:
        return f"about {max(1, round(seconds / _MINUTE))} min"
    return f"about {_trim(round(seconds / _HOUR * 2) / 2)} h"


def about_range(low: float, high: float) -> str:
    """Two expected durations in seconds: "20 to 45 s", "2 to 4 min", "40 s to 2 min"."""
    first, last = about(low).removeprefix("about "), about(high).removeprefix("about ")
    if first == last:
        return about(high)
    (value, _, unit), (_, _, last_unit) = first.partition(" "), last.partition(" ")
    return f"{value} to {last}" if unit == last_unit else f"{first} to {last}"


def count(number: Decimal | float, noun: str = "", plural: str = "") -> str:
    """A whole number with its thousands, and its noun: "1,204", "1 row", "12 rows", "2 entries"."""
    text = f"{number:,.0f}"
    if not noun:
        return text
    return f"{text} {noun if text == '1' else plural or noun + 's'}"


def number(value: float) -> str:
    """A measured number with three figures or its whole part: "0.0123", "4.57", "1,204"."""
    shown = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return "0" if shown in {"-0", "0"} else shown.replace("-", "−")


def short_count(number: float) -> str:
    """A count that has little room: "950", "1.2k", "3.4M"."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        rounded = round(number / size, 1)
        if abs(rounded) >= 1:
            return f"{_trim(rounded)}{letter}"
    return f"{number:,.0f}"


def percent(share: float, digits: int = 1) -> str:
    """A share of one: "93.4 %"."""
    return f"{share * 100:.{digits}f} %"


def size(count_of_bytes: int) -> str:
    """An amount of storage: "512 B", "1.4 MB", in powers of a thousand."""
    for power, unit in ((9, "GB"), (6, "MB"), (3, "kB")):
        if count_of_bytes >= 10**power:
            return f"{count_of_bytes / 10**power:.1f} {unit}"
    return f"{count_of_bytes} B"


def ago(instant: datetime, now: datetime) -> str:
    """How long ago: "just now", "5 min ago", "yesterday", "12 Mar 2026"; the future is "in 5 min"."""
    seconds = (now - instant).total_seconds()
    if seconds < 0:
        return "in " + _span(-seconds)
    if seconds < 45:
        return "just now"
    if seconds < _DAY:
        return f"{_span(seconds)} ago"
    if seconds < 2 * _DAY:
        return "yesterday"
    if seconds < 7 * _DAY:
        return f"{_span(seconds)} ago"
    return day(instant)


def day(instant: date) -> str:
    """A date: "12 Mar 2026"."""
    return f"{instant.day} {instant:%b %Y}"


def moment(instant: datetime, zone: tzinfo) -> str:
    """A date with its time in a zone: "12 Mar 2026, 14:05"."""
    local = instant.astimezone(zone)
    return f"{day(local)}, {local:%H:%M}"


def month(instant: date) -> str:
    """A month: "March 2026"."""
    return f"{instant:%B %Y}"


def _prefix(currency: str) -> str:
    return _SYMBOLS.get(currency, f"{currency} ")


def _two(whole: int, big: int, big_unit: str, small: int, small_unit: str) -> str:
    first, rest = divmod(whole, big)
    second = rest // small
    return f"{first} {big_unit}" + (f" {second} {small_unit}" if second else "")


def _span(seconds: float) -> str:
    if seconds < 45:
        return "a moment"
    if seconds < _HOUR:
        return f"{max(1, round(seconds / _MINUTE))} min"
    if seconds < _DAY:
        return f"{int(seconds / _HOUR)} h"
    return count(int(seconds / _DAY), "day")


def _trim(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
