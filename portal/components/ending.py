"""Ending early what was agreed: what is lost is said before."""

from collections.abc import Sequence
from functools import partial

import pandas as pd
import streamlit as st

from portal import format as words
from portal import session
from portal.components.confirm import confirm
from portal.highlight import literal
from services.accounts.tables import Tenant
from services.billing import ending
from services.billing.agreements import Granted
from services.billing.ending import ContractEnd
from services.billing.money import by_currency, rounded
from services.billing.period import Month
from services.billing.tables import Contract, Redemption
from services.db import reading, transaction


def end_contract(tenant: Tenant, contracts: Sequence[Contract]) -> None:
    """A contract and its last month; nothing where none can end early."""
    with reading() as db:
        possible = {
            one.id: soonest_first
            for one in contracts
            if (
                soonest_first := ending.last_months(db, session.operator(), tenant_id=tenant.id, contract=one)
            )
        }
    if not possible:
        return
    titles = {one.id: one.title for one in contracts}
    with st.popover("End a contract early", icon=":material/event_busy:"):
        chosen = st.selectbox("Contract", list(possible), format_func=titles.__getitem__, key="end:contract")
        months = {str(month): month for month in possible[chosen]}
        written = st.selectbox(
            "Its last month",
            list(months),
            format_func=lambda month: words.month(months[month].first),
            key=f"end:month:{chosen}",
        )
        last = months[written]
        with reading() as db:
            end = ending.preview_contract(
                db, session.operator(), tenant_id=tenant.id, contract_id=chosen, last=last
            )
        st.caption(_lost(end, tenant.currency))
        if st.button("End it", key="end:contract:go"):
            confirm(
                f"End “{literal(titles[chosen])}” with {words.month(last.first)}?",
                loses=f"{_lost(end, tenant.currency)} What is invoiced stays as it is, and the end is not "
                "taken back: sign another contract instead.",
                verb="End it",
                act=partial(_end_contract, tenant.id, chosen, last),
                done=f"“{titles[chosen]}” ends with {words.month(last.first)}.",
            )


def _lost(end: ContractEnd, currency: str) -> str:
    parts = []
    if end.dropped:
        sums = words.amounts(by_currency(amount for _, amount in end.dropped))
        parts.append(f"{words.count(len(end.dropped), 'instalment')} of in all {sums} will not be billed.")
    if end.terms.commitment is not None:
        promised = words.amount(rounded(end.terms.commitment.amount, currency))
        parts.append(
            f"The commitment of {promised} a month ends with it."
            if end.terms.every_month
            else f"The commitment for the term becomes {promised}, its part for the months until then."
        )
    return " ".join(parts) or "No instalment is left to bill."


def _end_contract(tenant_id: str, contract_id: str, last: Month) -> None:
    with transaction() as db:
        ending.end_contract(db, session.operator(), tenant_id=tenant_id, contract_id=contract_id, last=last)


def end_credit(tenant: Tenant, granted: Sequence[Granted]) -> None:
    """A grant of which something is left; nothing where there is none."""
    open_ones = {one.grant.id: one for one in granted if one.left.micros}
    if not open_ones:
        return
    with st.popover("End credit early", icon=":material/event_busy:"):
        chosen = st.selectbox(
            "Credit",
            list(open_ones),
            format_func=lambda one: (
                f"{open_ones[one].grant.reason}, {words.amount(open_ones[one].left)} left"
            ),
            key="end:credit",
        )
        one = open_ones[chosen]
        lost = f"What this month’s use until today leaves of {words.amount(one.left)} is lost."
        paid = " The customer has paid for it: send that money back." if one.grant.prepaid else ""
        st.caption(lost + paid)
        if st.button("End it", key="end:credit:go"):
            confirm(
                f"End “{literal(one.grant.reason)}” of {literal(tenant.name)} today?",
                loses=f"{lost}{paid} It is not taken back: grant credit anew instead.",
                verb="End it",
                act=partial(_end_credit, tenant.id, chosen),
                done=f"“{one.grant.reason}” pays for nothing from tomorrow on.",
            )


def _end_credit(tenant_id: str, grant_id: str) -> None:
    with transaction() as db:
        ending.end_credit(db, session.operator(), tenant_id=tenant_id, grant_id=grant_id)


def redemption_table(tenant: Tenant, taken: Sequence[Redemption]) -> None:
    """The coupons that a workspace has taken up, and ending one."""
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Coupon": one.code,
                    "From": words.month(one.first_day),
                    "To": words.month(one.last_day) if one.last_day else "no end",
                    "State": "Ended" if one.last_day and one.last_day < one.first_day else "Taken up",
                }
                for one in taken
            ]
        ),
        hide_index=True,
        alt="Coupons of the workspace, newest first",
    )
    with st.popover("End a coupon early", icon=":material/event_busy:"):
        code = st.selectbox("Coupon", [one.code for one in taken], key="end:coupon")
        lost = "It comes off no invoice of this workspace any more, the next one included."
        st.caption(lost)
        if st.button("End it", key="end:coupon:go"):
            confirm(
                f"End {literal(code)} for {literal(tenant.name)}?",
                loses=f"{lost} It is not taken back, and the workspace cannot take it up again.",
                verb="End it",
                act=partial(_end_redemption, tenant.id, code),
                done=f"{code} comes off no more invoices of {tenant.name}.",
            )


def _end_redemption(tenant_id: str, code: str) -> None:
    with transaction() as db:
        ending.end_redemption(db, session.operator(), tenant_id=tenant_id, code=code)


def end_coupon(codes: Sequence[str]) -> None:
    """Let nobody take a coupon up any more; nothing where none can be."""
    if not codes:
        return
    with st.popover("Stop a coupon", icon=":material/event_busy:"):
        code = st.selectbox("Coupon", list(codes), key="stop:coupon")
        if st.button("Stop it", key="stop:coupon:go"):
            confirm(
                f"Stop {literal(code)}?",
                loses="Nobody can take it up any more. Whoever has keeps it; end it for a workspace under "
                "Contracts and credit.",
                verb="Stop it",
                act=partial(_end_coupon, code),
                done=f"{code} can be taken up by nobody.",
            )


def _end_coupon(code: str) -> None:
    with transaction() as db:
        ending.end_coupon(db, session.operator(), code=code)
