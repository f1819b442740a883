"""The plan of a workspace, and going to another one at a cost that is known before."""

import streamlit as st

from portal import format as words
from portal import session
from portal.components.confirm import confirm
from services.billing import subscriptions
from services.billing.plans import Plan, PlanPrice
from services.billing.subscriptions import Change
from services.db import reading, transaction
from services.metering.meters import METERS


def plan_choice(current: Plan, offered: list[Plan], *, on_trial: bool) -> None:
    """A card for each plan; the one in force says so, the others can be changed to."""
    with st.grid(max(2, min(3, len(offered))), min_column_width=260, gap="medium"):
        for plan in offered:
            is_mine = plan.name == current.name
            with st.container(border=True):
                st.markdown(f"**{plan.title}**")
                st.markdown(f"### {words.amount(plan.fee) if plan.fee else 'No fee'}")
                st.caption("a month" if plan.fee else "you pay for what you use")
                st.markdown("  \n".join(f":small[{_sold(sold, plan.currency)}]" for sold in plan.prices))
                if is_mine and not on_trial:
                    st.badge("Your plan", color="green", icon=":material/check_circle:")
                else:
                    label = "Go on by invoice" if is_mine else f"Change to {plan.title}"
                    if st.button(label, key=f"plan:{plan.name}"):
                        _ask(plan)


def _sold(sold: PlanPrice, currency: str) -> str:
    free = f", {sold.price.free.normalize():,f} free" if sold.price.free else ""
    return f"{sold.title}: {words.price(sold.price, METERS[sold.meter].unit, currency)}{free}"


def _ask(plan: Plan) -> None:
    with reading() as db:
        seen = subscriptions.preview(db, session.member(), plan=plan.name)

    def act() -> None:
        with transaction() as db:
            subscriptions.change(db, session.member(), plan=plan.name, at=seen.at)

    confirm(
        f"Change to {plan.title}?",
        loses=_told(seen),
        verb="Change",
        act=act,
        done=f"Your workspace is on {plan.title} now.",
    )


def _told(seen: Change) -> str:
    parts = []
    if seen.legs.credit.micros:
        parts.append(f"{words.amount(seen.legs.credit)} of this month’s fee comes back.")
    if seen.legs.debit.micros:
        parts.append(f"{words.amount(seen.legs.debit)} is due for the rest of this month.")
    if parts:
        parts.append(f"In sum {words.amount(seen.legs.net)} on this month’s invoice, before tax.")
    else:
        parts.append("The change itself costs nothing.")
    return " ".join([*parts, "What you use from today on has the new prices."])
