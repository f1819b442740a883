"""The next version of a plan: its fields, and what each change would mean before it is published."""

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from portal import format as words
from portal import session
from portal.components.price_editor import price_editor
from portal.written import decimal_of
from services import clock, revenue
from services.billing import examples
from services.billing.money import Money, by_currency, rounded
from services.billing.plans import Plan, PlanPrice, in_force
from services.db import reading
from services.metering.meters import METERS

RIGHT = st.column_config.TextColumn(alignment="right")


def next_version(latest: Plan) -> Plan | None:
    """Fields for the fee and for every price; None, with the reason shown, where they make no version."""
    first, second = st.columns(2)
    earliest = max(clock.now().date() + timedelta(days=2), latest.valid_from + timedelta(days=1))
    first_of_next = (earliest.replace(day=1) + timedelta(days=32)).replace(day=1)
    begins: date = first.date_input(
        "Holds from", first_of_next, min_value=earliest, help="Use of earlier days keeps its price."
    )
    written = second.text_input(
        f"Fee a month, in {latest.currency}",
        f"{latest.fee.amount.normalize():f}" if latest.fee else "",
        placeholder="none",
        key=f"fee:{latest.edition}",
    )
    amount = decimal_of(written or "0")
    if amount is None or amount < 0:
        st.error("The fee is no amount, such as 49.", icon=":material/error:")
    prices = []
    for tab, sold in zip(st.tabs([price.title for price in latest.prices]), latest.prices, strict=True):
        with tab:
            key = f"price:{latest.edition}:{sold.key}"
            made = price_editor(sold.price, unit=METERS[sold.meter].unit, key=key)
        if made is not None:
            prices.append(replace(sold, price=made))
    if amount is None or amount < 0 or len(prices) < len(latest.prices):
        return None
    fee = rounded(amount, latest.currency)
    return replace(latest, valid_from=begins, prices=tuple(prices), fee=fee if fee.micros else None)


def version_preview(latest: Plan, plan: Plan) -> str:
    """Every change, and last month by all of them together; gives the names of what is changed."""
    changed = [
        (old, new) for old, new in zip(latest.prices, plan.prices, strict=True) if old.price != new.price
    ]
    names = [new.title for _, new in changed]
    if plan.fee != latest.fee:
        nothing = Money.zero(plan.currency)
        st.markdown(
            f"**The fee** becomes **{words.amount(plan.fee or nothing)}** a month, "
            f"and is {words.amount(latest.fee or nothing)} now."
        )
        names.insert(0, "the fee")
    for old, new in changed:
        st.markdown(f"**{new.title}**, at five quantities")
        worked_examples(old, new, latest.currency)
    if not names:
        st.markdown("**Nothing is changed yet**")
        st.caption("Change the fee or prices, as many as you like, and see here what it would mean.")
    st.markdown("**On last month’s use**, fees aside")
    on_last_month(plan)
    return ", ".join(names)


def state_of(plan: Plan, versions: tuple[Plan, ...]) -> str:
    """Does a version rate today's use, later use, or only use of the past?"""
    today = clock.now().date()
    if plan.valid_from > today:
        return "To come"
    return "In force" if plan is in_force(versions, today) else "Past"


def version_table(versions: tuple[Plan, ...]) -> None:
    """What every version charges, a column for each, newest first."""
    newest_first = list(reversed(versions))
    titles = list(dict.fromkeys(sold.title for plan in newest_first for sold in plan.prices))
    told = {}
    for plan in newest_first:
        prices = {
            sold.title: words.price(sold.price, METERS[sold.meter].unit, plan.currency)
            for sold in plan.prices
        }
        told[f"Version {plan.version}"] = [
            f"{state_of(plan, versions)}, from {words.day(plan.valid_from)}",
            words.amount(plan.fee) if plan.fee else "none",
            *(prices.get(title, "not sold") for title in titles),
        ]
    st.dataframe(
        pd.DataFrame({"": ["State", "Fee a month", *titles], **told}),
        hide_index=True,
        column_config={"": st.column_config.TextColumn(width=150, pinned=True)},
        alt="Versions of the plan, newest first",
    )


def worked_examples(old: PlanPrice, new: PlanPrice, currency: str) -> None:
    """What five quantities cost now and would cost, and where more costs less."""
    unit = METERS[new.meter].unit
    shown = examples.quantities(new.price)
    before = examples.worked(old.price, shown, currency)
    after = examples.worked(new.price, shown, currency)
    st.dataframe(
        pd.DataFrame(
            {
                f"{unit.capitalize()}s a month": [f"{quantity.normalize():,f}" for quantity in shown],
                "Now": [words.amount(amount) for amount in before],
                "Then": [words.amount(amount) for amount in after],
            }
        ),
        hide_index=True,
        column_config=dict.fromkeys((f"{unit.capitalize()}s a month", "Now", "Then"), RIGHT),
    )
    for cliff in examples.cliffs(new.price, currency):
        st.warning(
            f"Beyond {cliff.quantity.normalize():,f} {unit}s one more makes the bill "
            f"{words.amount(cliff.saves)} smaller. Graduated tiers have no such cliff.",
            icon=":material/trending_down:",
        )


def on_last_month(plan: Plan) -> None:
    """What last month's real use would have cost."""
    with reading() as db:
        rows = revenue.what_if(db, session.operator(), plan)
    if not rows:
        st.caption("Nobody on this plan used anything last month, so there is nothing to compare.")
        return
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Workspace": row.tenant.name,
                    "Last month": words.amount(row.was),
                    "Then": words.amount(row.would_be),
                    "Change": words.amount(row.would_be - row.was),
                }
                for row in rows
            ]
        ),
        hide_index=True,
        column_config={
            "Workspace": st.column_config.TextColumn(width=150),
            **dict.fromkeys(("Last month", "Then", "Change"), RIGHT),
        },
    )
    was, would_be = (by_currency([getattr(row, name) for row in rows]) for name in ("was", "would_be"))
    for before, after in zip(was, would_be, strict=True):
        st.markdown(f"All of them together: **{words.amount(before)}** became **{words.amount(after)}**.")
