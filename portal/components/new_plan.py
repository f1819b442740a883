"""A plan that was not sold before: its fields, filled with another plan's, and what it charges."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from portal import format as words
from portal.components.price_editor import price_editor
from portal.written import decimal_of
from services import clock
from services.billing import examples
from services.billing.money import MINOR_DIGITS, Money, rounded
from services.billing.plans import Plan, PlanPrice
from services.metering.meters import METERS

_RIGHT = st.column_config.TextColumn(alignment="right")


def plan_fields(like: Plan) -> Plan | None:
    """The fields, with the prices of another plan; None, with the reason shown, where they make no plan."""
    first, second = st.columns(2)
    title = first.text_input("Title", key="plan:title", placeholder="Business", max_chars=60)
    currency = second.selectbox(
        "Currency",
        sorted(MINOR_DIGITS),
        index=sorted(MINOR_DIGITS).index(like.currency),
        key="plan:currency",
        help="It never changes. Prices below are kept as numbers.",
    )
    first, second = st.columns(2)
    fee = first.text_input("Fee a month", key="plan:fee", placeholder="none")
    begins: date = second.date_input(
        "Sold from", clock.now().date() + timedelta(days=1), min_value=clock.now().date(), key="plan:begins"
    )
    amount = decimal_of(fee or "0")
    if amount is None or amount < 0:
        st.error("The fee is no amount, such as 49.", icon=":material/error:")
    prices = []
    for tab, sold in zip(st.tabs([price.title for price in like.prices]), like.prices, strict=True):
        with tab:
            made = price_editor(sold.price, unit=METERS[sold.meter].unit, key=f"plan:{like.name}:{sold.key}")
        if made is not None:
            prices.append(replace(sold, price=made))
    if amount is None or amount < 0 or len(prices) < len(like.prices):
        return None
    paid = rounded(amount, currency)
    return replace(
        like,
        name=_name(title),
        title=title.strip(),
        version=1,
        valid_from=begins,
        currency=currency,
        prices=tuple(prices),
        # Trials begin on the first plan of all; a new plan gives no credit of its own.
        trial=replace(like.trial, credit=Money.zero(currency)),
        fee=paid if paid.micros else None,
    )


def _name(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def plan_preview(plan: Plan) -> None:
    """What a month costs without use, and each price at a few quantities."""
    month = words.amount(plan.fee or Money.zero(plan.currency))
    st.markdown(f"A month without use costs **{month}**.")
    with st.grid(2, min_column_width=200, gap="medium"):
        for sold in plan.prices:
            with st.container(gap="small"):
                _worked(sold, plan.currency)


def _worked(sold: PlanPrice, currency: str) -> None:
    unit = METERS[sold.meter].unit
    shown = examples.quantities(sold.price)
    st.markdown(f"**{sold.title}**  \n:small[:gray[{words.price(sold.price, unit, currency)}]]")
    st.dataframe(
        pd.DataFrame(
            {
                f"{unit.capitalize()}s": [f"{quantity.normalize():,f}" for quantity in shown],
                "A month": [words.amount(amount) for amount in examples.worked(sold.price, shown, currency)],
            }
        ),
        hide_index=True,
        column_config=dict.fromkeys((f"{unit.capitalize()}s", "A month"), _RIGHT),
    )
