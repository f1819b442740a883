"""A coupon to make: its fields, and beside them what it takes off invoices."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import pandas as pd
import streamlit as st
from pydantic import ValidationError

from portal import format as words
from portal.written import decimal_of
from services import clock
from services.billing.money import MINOR_DIGITS, Money, rounded
from services.billing.redeeming import Terms, as_coupon, terms_of
from services.billing.tables import CouponCode

CAN_BE_TAKEN = "Can be taken up"
_RIGHT = st.column_config.TextColumn(alignment="right")
# Invoices before tax that the preview takes off from, in major units.
_INVOICES = (Decimal(10), Decimal(100), Decimal(1000))


@dataclass(frozen=True, slots=True)
class Written:
    """What the fields say, in the words of `redeeming.make_coupon`."""

    code: str
    terms: Terms
    # In which the preview counts.
    currency: str


def coupon_fields(currencies: list[str], *, key: str) -> Written | None:
    """The fields; None, with the reason shown, where they make no coupon."""
    first, second = st.columns(2)
    code = first.text_input("Code", key=f"{key}:code", placeholder="WELCOME-2027")
    title = second.text_input(
        "Title", key=f"{key}:title", placeholder="Welcome", help="As the invoice names it.", max_chars=80
    )
    in_percent = st.segmented_control(
        "Takes off",
        [True, False],
        default=True,
        format_func=lambda percent: "a percentage" if percent else "an amount",
        required=True,
        key=f"{key}:kind",
    )
    first, second = st.columns(2)
    off = first.text_input("Percent" if in_percent else "Amount", key=f"{key}:off:{in_percent}")
    currency = second.selectbox("Currency", currencies, key=f"{key}:currency", disabled=bool(in_percent))
    first, second = st.columns(2)
    months = first.number_input(
        "Invoices", 1, 120, None, key=f"{key}:months", placeholder="all", help="Empty: every invoice to come."
    )
    most = second.number_input(
        "Workspaces at most", 1, None, None, key=f"{key}:most", placeholder="any number"
    )
    until: date | None = st.date_input(
        "Can be taken up until",
        None,
        min_value=clock.now().date(),
        max_value=clock.now().date() + timedelta(days=3660),
        key=f"{key}:until",
    )
    if not (code.strip() and title.strip() and off.strip()):
        return None
    number = decimal_of(off)
    if number is None or number <= 0:
        st.error("It takes off no number above zero, such as 20.", icon=":material/error:")
        return None
    try:
        terms = Terms(
            title=title.strip(),
            percent=number if in_percent else None,
            amount=None if in_percent else rounded(number, currency),
            months=None if months is None else int(months),
            most=None if most is None else int(most),
            until=until,
        )
    except ValidationError as problem:
        st.error(problem.errors()[0]["msg"], icon=":material/error:")
        return None
    return Written(code.strip().upper(), terms, currency)


def coupon_preview(written: Written | None) -> None:
    """What it leaves of three invoices."""
    st.markdown("**What the customer will be charged**")
    if written is None:
        st.caption("Write a code, a title and what it takes off, and see here what is left of an invoice.")
        return
    coupon = as_coupon(written.code, written.terms)
    scale = 100 if not MINOR_DIGITS[written.currency] else 1
    before = [rounded(invoice * scale, written.currency) for invoice in _INVOICES]
    st.dataframe(
        pd.DataFrame(
            {
                "Invoice before tax": [words.amount(amount) for amount in before],
                "Taken off": [words.amount(coupon.off(amount)) for amount in before],
                "Left": [words.amount(amount - coupon.off(amount)) for amount in before],
            }
        ),
        hide_index=True,
        column_config=dict.fromkeys(("Invoice before tax", "Taken off", "Left"), _RIGHT),
    )
    span = (
        "Every invoice from the month on in which it is taken up."
        if written.terms.months is None
        else f"The {words.count(written.terms.months, 'invoice')} from the month on in which it is taken up."
    )
    st.caption(f"{span} It never makes an invoice negative.")


def coupon_table(made: list[CouponCode]) -> None:
    """Every coupon with its terms, newest first."""
    rows = []
    for coupon in made:
        terms = terms_of(coupon)
        rows.append(
            {
                "Code": coupon.code,
                "Title": terms.title,
                "State": state_of(coupon),
                "Takes off": taken_off(terms),
                "Taken up": words.count(coupon.taken)
                + (f" of {words.count(terms.most)}" if terms.most is not None else ""),
                "Until": words.day(terms.until) if terms.until else "no end",
                "Invoices": "all" if terms.months is None else words.count(terms.months),
            }
        )
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config=dict.fromkeys(("Takes off", "Invoices", "Taken up"), _RIGHT),
    )


def state_of(coupon: CouponCode) -> str:
    """Can it be taken up, and if not, why?"""
    terms = terms_of(coupon)
    if terms.until is not None and terms.until < clock.now().date():
        return "Expired"
    is_used_up = terms.most is not None and coupon.taken >= terms.most
    return "Used up" if is_used_up else CAN_BE_TAKEN


def taken_off(terms: Terms) -> str:
    """Its percentage or its amount."""
    off: Money | None = terms.amount
    return words.amount(off) if off is not None else f"{(terms.percent or Decimal(0)).normalize():f} %"
