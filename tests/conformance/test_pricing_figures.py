"""Our prices come to what other billing systems publish, to the cent, for every figure whose kind we sell.

Each function below answers the cases of a family by our own code, under the names of what the case comes to.
"""

import tomllib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from services.billing import proration
from services.billing.allocation import shares
from services.billing.conversion import Conversion, Rounding
from services.billing.money import Money, rounded
from services.billing.pricing import (
    Begun,
    GraduatedPrice,
    PackagePrice,
    PercentagePrice,
    Price,
    UnitPrice,
    VolumePrice,
    adjustment,
    charge,
    free_part,
    rate,
    rate_part,
)
from services.billing.taxation import Tax
from services.billing.tiers import Tier
from services.metering.aggregation import Aggregation, Reading, aggregated
from tests.services.billing.factories import create_draft, credit, predictions, with_price

TABLE = tomllib.loads(Path(__file__).with_name("pricing_figures.toml").read_text("utf-8"))
FIGURES: dict[str, dict[str, Any]] = TABLE["figures"]

NOT_SUPPORTED = {
    "aggregation-004": "no meter of the product averages or takes the least: it sums, counts, takes the most",
    "tax-001": "tax is rounded per rate (EN 16931) and not per line; a test below shows the same sums",
}

Given = dict[str, Any]
D = Decimal


def money(amount: str, currency: str = "USD") -> Money:
    return rounded(D(amount), currency)


def tiers(name: str) -> tuple[Tier, ...]:
    return tuple(
        Tier(up_to=D(bound) if bound else None, unit_amount=D(unit), flat_amount=D(flat))
        for bound, unit, flat in TABLE["tiers"][name]
    )


def graduated(name: str, **more: Any) -> GraduatedPrice:
    return GraduatedPrice(tiers=tiers(name), flat_at_zero=True, **more)


def volume(name: str, **more: Any) -> VolumePrice:
    return VolumePrice(tiers=tiers(name), flat_at_zero=True, **more)


def package(size: int, amount: str, **more: Any) -> PackagePrice:
    return PackagePrice(amount=D(amount), size=size, begun=Begun.whole, **more)


def comes_to(price: Price, quantity: object) -> dict[str, Decimal]:
    return {"amount": charge(price, D(str(quantity)), "USD").amount}


def answer_graduated(given: Given) -> dict[str, Any]:
    price, quantity, before = graduated(given["tiers"]), D(given["quantity"]), D(given.get("pre", 0))
    if not before and "lines" not in given:
        by_tier = [
            rate_part(price, D(low), min(quantity, D(high)) - D(low))
            for low, high in ((0, 5), (5, 10), (10, 15), (15, 10**9))
            if quantity > low
        ]
        whole = comes_to(price, quantity)
        return whole | {"lines": [rate(price, D(0)) + by_tier[0], *by_tier[1:]] if by_tier else []}
    edges = [edge for edge in (before, D(15), before + quantity) if before <= edge <= before + quantity]
    lines = [rate_part(price, low, high - low) for low, high in pairwise(edges)]
    return {"amount": rounded(rate_part(price, before, quantity), "USD").amount, "lines": lines}


def answer_volume(given: Given) -> dict[str, Any]:
    return comes_to(volume(given["tiers"]), given["quantity"])


def answer_threshold(given: Given) -> dict[str, Any]:
    price = volume(given["tiers"])
    if "quantities" in given:
        at, over = (rate(price, D(quantity)) for quantity in given["quantities"])
        return {"at_10000": at, "at_10001": over, "over_invoiced": at - over}
    whole, invoiced = rate(price, D(given["quantity"])), D(given["already_invoiced"])
    return {"total": whole, "still_due": whole - invoiced, "second_invoice": whole - invoiced}


def answer_package(given: Given) -> dict[str, Any]:
    # Cases that count packages have no price: one of 1 counts them.
    price = package(given["package_size"], given.get("price", "1"))
    part = rate_part(price, D(given.get("pre", 0)), D(given["quantity"]))
    return {"amount": rounded(part, "USD").amount}


def answer_unit(given: Given) -> dict[str, Any]:
    if "unit_amount_cents" in given:
        price = UnitPrice(amount=D(given["unit_amount_cents"]).scaleb(-2))
        return {"amount": charge(price, D(given["quantity"]), "USD").amount * 100}
    return comes_to(UnitPrice(amount=D(given.get("unit_amount", "1"))), given["quantity"])


def answer_rounding(given: Given) -> dict[str, Any]:
    if "unit_amount_cents" in given:
        return answer_unit(given)
    currency = {0: "JPY", 2: "USD"}[given.get("decimals", 2)]
    return {"amount": rounded(D(given["value"]), currency).amount}


def answer_minimum(given: Given) -> dict[str, Any]:
    least = D(given["minimum"])
    if "billed" in given:
        price = graduated(given["tiers"], minimum=least)
        return {"amount": adjustment(price, money(given["billed"])).amount}
    kind: Price = UnitPrice(amount=D(1), minimum=least)
    if "tiers" in given:
        kind = volume(given["tiers"], minimum=least)
    whole = charge(kind, D(given["quantity"]), "USD").amount
    return {"amount": whole, "true_up": whole - rate(kind, D(given["quantity"]))}


def answer_maximum(given: Given) -> dict[str, Any]:
    if "cap" in given:
        return comes_to(UnitPrice(amount=D(given["unit_amount"]), maximum=D(given["cap"])), given["quantity"])
    most = D(given["maximum"])
    if "tiers" in given:
        kind = volume(given["tiers"], maximum=most)
        whole = charge(kind, D(given["quantity"]), "USD").amount
        return {"amount": whole, "discount": rate(kind, D(given["quantity"])) - whole}

    price: Price = UnitPrice(amount=D(given.get("unit_amount", "1")), maximum=most)
    percentage = D(0)
    if "multiplier" in given:
        price = PercentagePrice(percent=D(given["multiplier"]) * 100, maximum=most)
        before, gross = D(given["previously"]), rounded(rate(price, D(given["value"])), "USD").amount
    elif "discount_percent" in given:
        price = UnitPrice(amount=D(10), discount_percent=D(given["discount_percent"]), maximum=most)
        gross = rate(price, D(given["gross"]) / 10)
        percentage, before = D(given["gross"]) - gross, D(given["previously"])
    elif "previously" in given:
        before, gross = D(given["previously"]), D(given["line"])
    else:
        # The case without a price is of packages of 10 at 15.
        price = price if "unit_amount" in given else package(10, "15", maximum=most)
        before, gross = rate(price, D(given["pre"])), rate_part(price, D(given["pre"]), D(given["quantity"]))
    already = adjustment(price, money(str(before))).amount
    discount = already - adjustment(price, money(str(before + gross))).amount
    return {
        "gross": gross,
        "discount": discount,
        "maximum_discount": discount,
        "percentage_discount": percentage,
        "net": gross - discount,
    }


def answer_dynamic(given: Given) -> dict[str, Any]:
    return comes_to(PercentagePrice(percent=D(given["multiplier"]) * 100), given["value"])


def answer_conversion(given: Given) -> dict[str, Any]:
    conversion = Conversion(divide_by=D(given["divide_by"]), rounding=Rounding.up)
    price: Price = UnitPrice(amount=D(given.get("price", 0)), conversion=conversion)
    if "tiers" in given:
        price = graduated(given["tiers"], conversion=conversion)
    return comes_to(price, given["quantity"]) | {"billed_units": conversion.of(D(given["quantity"]))}


def answer_usage_discount(given: Given) -> dict[str, Any]:
    price = UnitPrice(amount=D(1), free=D(given["discount_units"]))
    billed, before = [], D(given.get("pre", 0))
    for quantity in map(D, given.get("lines") or [given["quantity"]]):
        billed.append(quantity - free_part(price, before, quantity))
        before += quantity
    return {"billed": billed, "amount": billed[0]}


def answer_period_change(given: Given) -> dict[str, Any]:
    if "values_b" in given:
        readings = [
            Reading(at=datetime(2026, 1, 1, tzinfo=UTC), quantity=D(value))
            for value in (*given["values_a"], *given["values_b"])
        ]
        most = aggregated(
            Aggregation.max,
            readings,
            start=datetime(2026, 1, 1, tzinfo=UTC),
            end=datetime(2026, 2, 1, tzinfo=UTC),
        )
        return comes_to(UnitPrice(amount=D(given["price_b"])), most)
    if "values" in given:
        return comes_to(UnitPrice(amount=D(given["price"])), sum(given["values"]))
    if "price" in given:
        price = package(given["per"], given["price"])
        first, second = map(D, given["legs"])
        a, b = rate(price, first), rate_part(price, first, second)
        return {"a": a, "b": b, "total": a + b}
    legs = [rate(package(leg["per"], leg["price"]), D(leg["quantity"])) for leg in given["legs"]]
    # Their other mode forgets the first leg: not what our customers are told.
    return {"flexible": sum(legs), "classic": legs[-1]}


def answer_proration(given: Given) -> dict[str, Any]:
    currency = given["currency"]
    start = datetime(2026, 1, 1, tzinfo=UTC)
    if "of" in given:
        part = proration.prorated(money(given["amount"], currency), Fraction(given["days"], given["of"]))
        return {"amount": part.amount}
    if "period_start" in given:
        start, at, end = (
            datetime.fromisoformat(given[name]).replace(tzinfo=UTC)
            for name in ("period_start", "at", "period_end")
        )
        old, new = (rounded(D(given[name]).scaleb(-2), "USD") for name in ("old_cents", "new_cents"))
        how = proration.restart if given["restarts"] else proration.change
        legs = how(old=old, new=new, start=start, at=at, end=end)
        return {"credit": legs.credit.amount * 100, "debit": legs.debit.amount * 100}
    length = timedelta(seconds=given.get("period_seconds", 2_592_000))
    left = timedelta(seconds=given["remaining_seconds"]) if "remaining_seconds" in given else length / 2
    off = D(given.get("discount", 0))
    old, new = (money(str(D(given[name]) - off)) for name in ("old", "new"))
    legs = proration.change(old=old, new=new, start=start, at=start + length - left, end=start + length)
    return {
        "credit": legs.credit.amount * given["credit_sign"],
        "debit": legs.debit.amount,
        "net": legs.net.amount,
        "amount": (new + legs.net).amount,
    }


def answer_allocation(given: Given) -> dict[str, Any]:
    digits = given["decimals"]
    parts = shares(int(D(given["amount"]).scaleb(digits)), given["weights"])
    return {"shares": [D(part).scaleb(-digits) for part in parts]}


def answer_credits(given: Given) -> dict[str, Any]:
    grant = credit(int(given["credits"]))
    figures = create_draft(
        predictions(given["quantity"]), versions=[with_price(graduated(given["tiers"]))], grants=(grant,)
    )
    return {"amount": figures.payable.amount}


def answer_tax(given: Given) -> dict[str, Any]:
    net = sum(map(D, given.get("lines") or [given["amount"]]))
    tax = Tax(D(given["rate"]), "").on(money(str(net))).amount
    return {"tax": tax, "subtotal": net, "total": net + tax}


ANSWERS: dict[str, Callable[[Given], dict[str, Any]]] = {
    "allocation": answer_allocation,
    "credits": answer_credits,
    "dynamic": answer_dynamic,
    "graduated": answer_graduated,
    "maximum": answer_maximum,
    "minimum": answer_minimum,
    "package": answer_package,
    "period-change": answer_period_change,
    "proration": answer_proration,
    "rounding": answer_rounding,
    "tax": answer_tax,
    "threshold-billing": answer_threshold,
    "unit": answer_unit,
    "unit-conversion": answer_conversion,
    "usage-discount": answer_usage_discount,
    "volume": answer_volume,
}


def family(name: str) -> str:
    return name.rsplit("-", 1)[0]


def answer(name: str) -> dict[str, Any]:
    figure = FIGURES[name]
    given = figure["given"] | {"currency": figure.get("currency", "USD")}
    if family(name) == "proration":
        # What the case is about that its figures alone do not say.
        given |= {"restarts": 21 <= int(name[-3:]) <= 25, "credit_sign": -1 if name == "proration-001" else 1}
    return ANSWERS[family(name)](given)


def exact(value: Any) -> Any:
    return [D(part) for part in value] if isinstance(value, list) else D(value)


@pytest.mark.parametrize("name", sorted(set(FIGURES) - set(NOT_SUPPORTED)))
def test_our_figure_is_the_published_one(name: str) -> None:
    expected = {key: exact(value) for key, value in FIGURES[name]["comes_to"].items()}

    ours = answer(name)

    assert {key: exact(ours[key]) for key in expected} == expected


def test_tax_by_rate_has_the_sums_of_tax_by_line() -> None:
    published = FIGURES["tax-001"]["comes_to"]

    ours = answer("tax-001")

    assert ours == {key: D(published[key]) for key in ("tax", "subtotal", "total")}


def test_the_table_is_whole_and_every_figure_names_its_source() -> None:
    assert len(FIGURES) == 132
    assert set(NOT_SUPPORTED) < set(FIGURES)
    assert {figure["source"] for figure in FIGURES.values()} == set(TABLE["sources"])
    assert Counter(map(family, set(FIGURES) - set(NOT_SUPPORTED))) == {
        "allocation": 7,
        "credits": 1,
        "dynamic": 1,
        "graduated": 21,
        "maximum": 9,
        "minimum": 5,
        "package": 15,
        "period-change": 4,
        "proration": 19,
        "rounding": 11,
        "tax": 1,
        "threshold-billing": 3,
        "unit": 9,
        "unit-conversion": 2,
        "usage-discount": 3,
        "volume": 19,
    }
