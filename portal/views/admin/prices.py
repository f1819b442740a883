"""Plans and prices: what is sold, and the next version with what it would mean before it is published."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from portal import format as words
from portal import session
from portal.components.confirm import confirm
from portal.components.header import page_header
from portal.components.new_plan import plan_fields, plan_preview
from portal.components.next_version import next_version, version_preview, version_table
from portal.components.side_by_side import side_by_side
from portal.highlight import literal
from services.billing import catalogue
from services.billing.plans import Plan
from services.db import reading, transaction
from services.errors import ServiceError


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


session.operator()
with reading() as db:
    sold = catalogue.plans(db)
if "new" in st.query_params:
    new_plan(sold)
    st.stop()
# The link back from a new plan leaves the address as it was.
st.query_params.from_dict(st.query_params.to_dict())
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
    plan = next_version(latest)
with preview:
    if plan is None:
        st.caption("What it would mean stands here once all fields make prices.")
        st.stop()
    changed = version_preview(latest, plan)

problem = None
try:
    catalogue.check(plan, list(versions))
except ServiceError as refused:
    problem = refused.message
if changed and problem:
    st.error(problem, icon=":material/error:")
with place:
    if st.button("New plan", icon=":material/add:"):
        st.query_params["new"] = "1"
        st.rerun()
    if st.button(
        "Publish", type="primary", icon=":material/publish:", disabled=problem is not None or not changed
    ):
        confirm(
            f"Publish {latest.title}, version {latest.version + 1}?",
            loses=f"It changes {changed}. From {words.day(plan.valid_from)} on it rates what is used by "
            "everybody on this plan. A published version can be followed by another one, and not taken back.",
            verb="Publish",
            act=partial(published, plan),
            done=f"{latest.title}, version {latest.version + 1}, holds from {words.day(plan.valid_from)}.",
        )
