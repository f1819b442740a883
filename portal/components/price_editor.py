"""A price as fields of a form: what is written there becomes a price, or a sentence that says why not."""

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation

import streamlit as st
from pydantic import ValidationError

from services.billing.pricing import (
    Begun,
    GraduatedPrice,
    PackagePrice,
    PercentagePrice,
    Price,
    UnitPrice,
    VolumePrice,
)
from services.billing.tiers import Tier
from services.errors import ServiceError

KINDS = {
    "unit": "Per unit",
    "package": "Per package",
    "graduated": "Graduated tiers",
    "volume": "Volume tiers",
    "percentage": "Percentage of an amount",
}
_BOUND, _UNIT, _FLAT = "Up to and with", "Price of one", "Flat amount"


def price_editor(price: Price, *, unit: str, key: str) -> Price | None:
    """Fields for a price, filled with one; None, with the reason shown, where they make no price."""
    first, second = st.columns(2)
    kinds = list(KINDS)
    kind = first.selectbox(
        "How it is priced",
        kinds,
        index=kinds.index(price.kind),
        format_func=KINDS.__getitem__,
        key=f"{key}:kind",
    )
    free = second.text_input(f"Free {unit}s a month", _text(price.free), key=f"{key}:free")
    made = _FIELDS[kind](price, unit, key)
    bounds = _bounds(price, key)
    try:
        return made({"free": _decimal(free), **bounds()})
    except ServiceError as problem:
        st.error(problem.message, icon=":material/error:")
    except ValidationError as problem:
        st.error(problem.errors()[0]["msg"], icon=":material/error:")
    except InvalidOperation:
        st.error("One of these fields holds no number, such as 0.0021.", icon=":material/error:")
    return None


Made = Callable[[dict[str, object]], Price]


def _unit(price: Price, unit: str, key: str) -> Made:
    amount = st.text_input(
        f"Price of one {unit}",
        _text(price.amount) if isinstance(price, UnitPrice) else "0",
        key=f"{key}:amount",
    )
    return lambda common: UnitPrice(amount=_decimal(amount), **common)  # type: ignore[arg-type]


def _package(price: Price, unit: str, key: str) -> Made:
    old = price if isinstance(price, PackagePrice) else None
    first, second, third = st.columns(3)
    amount = first.text_input("Price of a package", _text(old.amount) if old else "0", key=f"{key}:amount")
    size = second.number_input(f"Of so many {unit}s", 1, value=old.size if old else 1000, key=f"{key}:size")
    begun = third.selectbox(
        "A package begun costs",
        list(Begun),
        index=list(Begun).index(old.begun if old else Begun.in_proportion),
        format_func=lambda begun: "all of it" if begun is Begun.whole else "its used part",
        key=f"{key}:begun",
    )
    return lambda common: PackagePrice(
        amount=_decimal(amount),
        size=int(size),
        begun=begun or Begun.in_proportion,
        **common,  # type: ignore[arg-type]
    )


def _tiered(kind: type[GraduatedPrice] | type[VolumePrice]) -> Callable[[Price, str, str], Made]:
    def fields(price: Price, unit: str, key: str) -> Made:
        old = price if isinstance(price, GraduatedPrice | VolumePrice) else None
        tiers = old.tiers if old else (Tier(up_to=Decimal(1000)), Tier())
        written = st.data_editor(
            [
                {
                    _BOUND: "" if tier.up_to is None else _text(tier.up_to),
                    _UNIT: _text(tier.unit_amount),
                    _FLAT: _text(tier.flat_amount),
                }
                for tier in tiers
            ],
            # Text, because a number of the browser's would have lost its last digits.
            column_config={name: st.column_config.TextColumn(name) for name in (_BOUND, _UNIT, _FLAT)},
            num_rows="dynamic",
            hide_index=True,
            key=f"{key}:{kind.__name__}",
        )
        at_zero = st.checkbox(
            f"The first flat amount is due in a month without any {unit}",
            value=old.flat_at_zero if old else False,
            key=f"{key}:at_zero",
        )
        return lambda common: kind(
            tiers=tuple(_tier(row) for row in written),
            flat_at_zero=at_zero,
            **common,  # type: ignore[arg-type]
        )

    return fields


def _tier(row: Mapping[str, str | None]) -> Tier:
    bound = (row.get(_BOUND) or "").strip()
    return Tier(
        up_to=_decimal(bound) if bound else None,
        unit_amount=_decimal(row.get(_UNIT) or "0"),
        flat_amount=_decimal(row.get(_FLAT) or "0"),
    )


def _percentage(price: Price, unit: str, key: str) -> Made:  # noqa: ARG001
    percent = st.text_input(
        "Percent", _text(price.percent) if isinstance(price, PercentagePrice) else "100", key=f"{key}:percent"
    )
    return lambda common: PercentagePrice(percent=_decimal(percent), **common)  # type: ignore[arg-type]


_FIELDS: dict[str, Callable[[Price, str, str], Made]] = {
    "unit": _unit,
    "package": _package,
    "graduated": _tiered(GraduatedPrice),
    "volume": _tiered(VolumePrice),
    "percentage": _percentage,
}


def _bounds(price: Price, key: str) -> Callable[[], dict[str, object]]:
    with st.expander("Discount, minimum and maximum"):
        first, second, third = st.columns(3)
        discount = first.text_input("Discount in percent", _text(price.discount_percent), key=f"{key}:off")
        least = second.text_input("At least, a month", _text(price.minimum), key=f"{key}:least")
        most = third.text_input("At most, a month", _text(price.maximum), key=f"{key}:most")
    return lambda: {
        "discount_percent": _decimal(discount),
        "minimum": _decimal(least) if least.strip() else None,
        "maximum": _decimal(most) if most.strip() else None,
        "conversion": price.conversion,
        "commitment": price.commitment,
    }


def _text(number: Decimal | None) -> str:
    return "" if number is None else f"{number.normalize():f}"


def _decimal(written: str) -> Decimal:
    return Decimal(written.strip().replace(",", "."))
