"""Coupons: what can be taken up, by how many it was, and the next one."""

from functools import partial

import streamlit as st

from portal import session
from portal.components.confirm import confirm
from portal.components.coupon_form import (
    CAN_BE_TAKEN,
    Written,
    coupon_fields,
    coupon_preview,
    coupon_table,
    state_of,
    taken_off,
)
from portal.components.empty import empty_state
from portal.components.ending import end_coupon
from portal.components.header import page_header
from portal.components.side_by_side import side_by_side
from portal.highlight import literal
from services.billing import catalogue, redeeming
from services.db import reading, transaction


def make(written: Written) -> None:
    """Make what the fields say."""
    with transaction() as db:
        redeeming.make_coupon(db, session.operator(), code=written.code, terms=written.terms)


session.operator()
place = page_header("Coupons", "A percentage or an amount off invoices, for whoever takes the code up.")
with reading() as db:
    made = redeeming.coupons(db, session.operator())
    currencies = sorted({versions[-1].currency for versions in catalogue.plans(db).values()}) or ["EUR"]

if made:
    coupon_table(made)
    end_coupon([coupon.code for coupon in made if state_of(coupon) == CAN_BE_TAKEN])
else:
    empty_state(
        "No coupons yet",
        "Make one below. Customers take it up on their page Plan and budget.",
        icon=":material/local_offer:",
    )
st.subheader("A new coupon", anchor=False)
fields, preview = side_by_side()
with fields, st.container(border=True):
    written = coupon_fields(currencies, key=f"coupon:{len(made)}")
with preview:
    coupon_preview(written)
with place:
    if st.button("Make coupon", type="primary", icon=":material/local_offer:", disabled=written is None):
        assert written is not None
        confirm(
            f"Make the coupon {literal(written.code)}?",
            loses=f"Whoever takes it up gets {taken_off(written.terms)} off. Its terms never change; it "
            "can be stopped, and whoever has it keeps it.",
            verb="Make coupon",
            act=partial(make, written),
            done=f"The coupon {written.code} can be taken up.",
        )
