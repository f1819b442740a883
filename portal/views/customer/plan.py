"""Plan and budget: what the workspace is on, what it wants to spend, and how it is addressed."""

from decimal import Decimal

import streamlit as st

from portal import format as words
from portal import session
from portal.components.address_form import address_form
from portal.components.budget_form import budget_form
from portal.components.header import page_header
from portal.components.notice import announce, complain
from portal.components.plan_choice import plan_choice
from portal.highlight import literal
from services.accounts import service as accounts
from services.accounts.scope import Role
from services.billing import budgets, profiles, redeeming, subscriptions
from services.billing import service as billing
from services.db import reading, transaction
from services.errors import ServiceError

member = session.member()
member.require(Role.billing)
page_header("Plan and budget", "What your workspace pays, what it may spend, and who is told.")

with reading() as db:
    currency = accounts.get_tenant(db, member).currency
    current = subscriptions.current_plan(db, member)
    offered = list(subscriptions.offered(db, member))
    on_trial = billing.on_trial(db, member)
    kept, now = budgets.budget_of(db, member), budgets.standing(db, member)
    reached = budgets.alerts(db, member)
    coupons = redeeming.taken_up(db, member)
    address = profiles.profile(db, member)

if reached:
    st.warning(
        f"This month has reached {reached[0].threshold} % of its budget.", icon=":material/notifications:"
    )
st.subheader("Plan", anchor=False)
plan_choice(current, offered, on_trial=on_trial)
for taken, terms in coupons:
    off = words.amount(terms.amount) if terms.amount else f"{(terms.percent or Decimal(0)).normalize():f} %"
    until = f" up to that of {words.month(taken.last_day)}" if taken.last_day else ""
    st.markdown(f":material/local_offer: **{literal(terms.title)}** takes {off} off each invoice{until}.")
with st.form("coupon", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
    code = st.text_input("Coupon", width=240)
    if st.form_submit_button("Take up"):
        try:
            with transaction() as db:
                redeeming.redeem(db, member, code=code)
        except ServiceError as error:
            complain(error)
        else:
            announce("The coupon comes off from this month’s invoice on.")
        st.rerun()

st.subheader("Budget", anchor=False)
with st.container(border=True):
    budget_form(kept, now, currency)

st.subheader("Billing address", anchor=False)
with st.container(border=True):
    address_form(address)
