"""Plans and prices: what is sold, and the next version with what it would mean before it is published."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import streamlit as st

from portal import format as words
from portal import session
from portal.components.confirm import confirm
from portal.components.empty import empty_state
from portal.components.header import page_header
from portal.components.new_plan import plan_fields, plan_preview
from portal.components.price_editor import price_editor
from portal.components.side_by_side import side_by_side
from portal.highlight import literal
from services import clock, revenue
from services.billing import catalogue, examples
from services.billing.money import by_currency
from services.billing.plans import Plan, PlanPrice, in_force
from services.db import reading, transaction
from services.errors import ServiceError
from services.metering.meters import METERS

RIGHT = st.column_config.TextColumn(alignment="right")


def published(plan: Plan) -> None:
    """Publish the version that the page shows."""
    with transaction() as db:
        catalogue.publish(db, session.operator(), plan)


def published_new(plan: Plan) -> None:
    """Publish the plan that the page shows, and go back to those that are sold."""
    with transaction() as db:
        catalogue.publish_new(db, session.operator(), plan)
    st.query_params.clear()


def new_plan(sold: Mapping[str, tuple[Plan, ...]]) -> None:
    """The whole page, where its address asks for a plan that was not sold before."""
    place = page_header(
        "A new plan",
        "Begins with the prices of another plan. Once it is published, customers can choose it.",
        back=("views/admin/prices.py", "Plans and prices"),
    )
    like = st.segmented_control(
        "Prices like those of",
        list(sold),
        default=next(iter(sold)),
        format_func=lambda name: sold[name][-1].title,
        required=True,
    )
    fields, preview = side_by_side()
    with fields, st.container(border=True):
        plan = plan_fields(sold[like][-1])
    with preview:
        if plan is None:
            st.caption("What it charges stands here once the fields make prices.")
        else:
            plan_preview(plan)
    with place:
        if st.button(
            "Publish",
            type="primary",
            icon=":material/publish:",
            disabled=plan is None or not plan.name,
            help=None if plan is not None and plan.name else "It needs a title.",
        ):
            assert plan is not None
            confirm(
                f"Sell {literal(plan.title)}?",
                loses=f"From {words.day(plan.valid_from)} on every workspace that is billed in "
                f"{plan.currency} can change to it. Its prices change by a next version only.",
                verb="Publish",
                act=lambda: published_new(plan),
                done=f"{plan.title} is sold from {words.day(plan.valid_from)} on.",
            )


def state_of(plan: Plan, versions: tuple[Plan, ...]) -> str:
    """Does a version rate today's use, later use, or only use of the past?"""
    today = clock.now().date()
    if plan.valid_from > today:
        return "To come"
    return "In force" if plan is in_force(versions, today) else "Past"


def version_table(versions: tuple[Plan, ...]) -> None:
    """Every version of a plan, newest first."""
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Version": plan.version,
                    "From": words.day(plan.valid_from),
                    "State": state_of(plan, versions),
                    "Fee a month": words.amount(plan.fee) if plan.fee else "none",
                    **{
                        sold.title: words.price(sold.price, METERS[sold.meter].unit, plan.currency)
                        for sold in plan.prices
                    },
                }
                for plan in reversed(versions)
            ]
        ),
        hide_index=True,
        column_config={"Version": st.column_config.NumberColumn(width="small")},
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
                    "By these prices": words.amount(row.would_be),
                    "Difference": words.amount(row.would_be - row.was),
                }
                for row in rows
            ]
        ),
        hide_index=True,
        column_config={
            "Workspace": st.column_config.TextColumn(width=150),
            **dict.fromkeys(("Last month", "By these prices", "Difference"), RIGHT),
        },
    )
    was, would_be = (by_currency([getattr(row, name) for row in rows]) for name in ("was", "would_be"))
    for before, after in zip(was, would_be, strict=True):
        st.markdown(f"All of them together: **{words.amount(before)}** became **{words.amount(after)}**.")


session.operator()
with reading() as db:
    sold = catalogue.plans(db)
if "new" in st.query_params:
    new_plan(sold)
    st.stop()
place = page_header("Plans and prices", "What is sold, in versions. A published version never changes.")

name = st.segmented_control(
    "Plan", list(sold), default=next(iter(sold)), format_func=lambda name: sold[name][-1].title, required=True
)
versions = sold[name]
version_table(versions)

st.subheader("The next version", anchor=False)
latest = versions[-1]
editor, preview = side_by_side()
with editor, st.container(border=True):
    earliest = max(clock.now().date() + timedelta(days=2), latest.valid_from + timedelta(days=1))
    first_of_next = (earliest.replace(day=1) + timedelta(days=32)).replace(day=1)
    begins: date = st.date_input(
        "Holds from", first_of_next, min_value=earliest, help="Use of earlier days keeps its price."
    )
    keys = {price.key: price for price in latest.prices}
    chosen = st.selectbox("Price", list(keys), format_func=lambda key: keys[key].title)
    old = keys[chosen]
    made = price_editor(old.price, unit=METERS[old.meter].unit, key=f"price:{latest.edition}:{chosen}")

if made is None:
    preview.caption("The examples stand here once the fields make a price.")
    st.stop()
new = replace(old, price=made)
plan = replace(
    latest,
    valid_from=begins,
    prices=tuple(new if price.key == chosen else price for price in latest.prices),
)
with preview:
    st.markdown("**At five quantities**")
    worked_examples(old, new, latest.currency)
    st.markdown("**On last month’s use**")
    on_last_month(plan)

problem = None
try:
    catalogue.check(plan, list(versions))
except ServiceError as refused:
    problem = refused.message
if made == old.price:
    empty_state("Nothing is changed yet", "Change a field, and see here what it would mean.")
elif problem:
    st.error(problem, icon=":material/error:")
with place:
    if st.button("New plan", icon=":material/add:"):
        st.query_params["new"] = "1"
        st.rerun()
    if st.button(
        "Publish",
        type="primary",
        icon=":material/publish:",
        disabled=problem is not None or made == old.price,
    ):
        confirm(
            f"Publish {latest.title}, version {latest.version + 1}?",
            loses=f"From {words.day(begins)} on it rates what is used by everybody on this plan. A published "
            "version can be followed by another one, and not taken back.",
            verb="Publish",
            act=lambda: published(plan),
            done=f"{latest.title}, version {latest.version + 1}, holds from {words.day(begins)}.",
        )
