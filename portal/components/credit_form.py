"""Credit to grant: its fields, and beside them what it changes on the invoice of this month."""

from datetime import date, timedelta

import pandas as pd
import streamlit as st

from portal import format as words
from portal import session
from portal.written import decimal_of
from services import clock
from services.accounts.tables import Tenant
from services.billing.agreements import Granted
from services.billing.credits import NewCredit, preview_credit
from services.billing.money import rounded
from services.db import reading
from services.errors import ServiceError
from services.metering.days import day_of, midnight

_RIGHT = st.column_config.TextColumn(alignment="right")
_KINDS = {True: "Paid ahead by the customer", False: "Given by us"}


def credit_fields(tenant: Tenant, *, key: str) -> NewCredit | None:
    """The fields; None where the amount is none yet."""
    prepaid = st.segmented_control(
        "Kind",
        list(_KINDS),
        default=True,
        format_func=_KINDS.__getitem__,
        required=True,
        key=f"{key}:kind",
        help="What was paid ahead pays the total, tax included. What is given comes off before tax.",
    )
    first, second = st.columns(2)
    amount = first.text_input(f"Amount, in {tenant.currency}", key=f"{key}:amount")
    priority = int(
        second.number_input("Priority", 0, 999, 100, key=f"{key}:priority", help="Lower is spent first.")
    )
    reason = st.text_input(
        "Reason", "Prepaid credit" if prepaid else "Goodwill", key=f"{key}:reason:{prepaid}"
    )
    expires = st.checkbox("It expires", key=f"{key}:expires")
    last: date = st.date_input(
        "Its last day",
        clock.now().date() + timedelta(days=365),
        min_value=clock.now().date(),
        disabled=not expires,
        key=f"{key}:last",
    )
    number = decimal_of(amount)
    if number is None or number <= 0:
        if amount.strip():
            st.error("The amount is no number above zero, such as 500.", icon=":material/error:")
        return None
    return NewCredit(
        amount=rounded(number, tenant.currency),
        reason=reason,
        prepaid=bool(prepaid),
        priority=priority,
        expires_at=midnight(last + timedelta(days=1), tenant.time_zone) if expires else None,
    )


def credit_preview(tenant: Tenant, written: NewCredit | None) -> bool:
    """The draft of this month without and with the credit; gives whether it can be granted."""
    st.markdown("**This month’s invoice so far**")
    if written is None:
        st.caption("Write an amount, and see here what it changes.")
        return False
    try:
        with reading() as db:
            before, after = preview_credit(db, session.operator(), tenant_id=tenant.id, credit=written)
    except ServiceError as refused:
        st.error(refused.message, icon=":material/error:")
        return False
    rows = {
        "Use and charges": (before.subtotal, after.subtotal),
        "Discount and credit": (before.discount + before.credit, after.discount + after.credit),
        "Tax": (before.tax, after.tax),
        "Paid from prepaid credit": (before.prepaid, after.prepaid),
        "To pay": (before.payable, after.payable),
    }
    st.dataframe(
        pd.DataFrame(
            {
                "": list(rows),
                "Now": [words.amount(now) for now, _ in rows.values()],
                "With this credit": [words.amount(then) for _, then in rows.values()],
            }
        ),
        hide_index=True,
        column_config=dict.fromkeys(("Now", "With this credit"), _RIGHT),
    )
    st.caption("What the month leaves of it goes on to the next ones.")
    return True


def credit_table(granted: list[Granted], time_zone: str) -> None:
    """Credit in the order in which it is spent, with what has become of it."""
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Reason": one.grant.reason,
                    "Kind": "Prepaid" if one.grant.prepaid else "Given",
                    "Last day": words.day(day_of(one.grant.expires_at - timedelta(microseconds=1), time_zone))
                    if one.grant.expires_at
                    else "none",
                    "Granted": words.money(one.grant.amount, one.grant.currency),
                    "Used": words.amount(one.used),
                    "Expired": words.amount(one.expired),
                    "Left": words.amount(one.left),
                    "Priority": one.grant.priority,
                }
                for one in granted
            ]
        ),
        hide_index=True,
        column_config={
            "Priority": st.column_config.NumberColumn(width="small"),
            **dict.fromkeys(("Granted", "Used", "Expired", "Left"), _RIGHT),
        },
    )
