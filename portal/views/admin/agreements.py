"""Contracts and credit: what was agreed with a workspace beside its plan, and the next agreement."""

from functools import partial

import streamlit as st

from portal import format as words
from portal import session
from portal.components.choice import choice
from portal.components.confirm import confirm
from portal.components.contract_form import Written as Contract
from portal.components.contract_form import contract_fields, contract_preview, contract_table
from portal.components.credit_form import credit_fields, credit_preview, credit_table
from portal.components.empty import empty_state
from portal.components.ending import end_contract, end_credit, redemption_table
from portal.components.header import page_header
from portal.components.instalments import instalment_table
from portal.components.side_by_side import side_by_side
from portal.highlight import literal
from services.accounts.tables import Tenant
from services.billing import agreements, contracts
from services.billing.credits import NewCredit, grant_credit
from services.db import reading, transaction

VIEWS = {"contract": "Contract", "credit": "Credit", "coupon": "Coupons"}


def sign(tenant: Tenant, written: Contract) -> None:
    """Sign what the fields say."""
    with transaction() as db:
        contracts.sign(
            db,
            session.operator(),
            tenant_id=tenant.id,
            title=written.title,
            first=written.first,
            months=written.months,
            terms=written.terms,
        )


def grant(tenant: Tenant, written: NewCredit) -> None:
    """Grant what the fields say."""
    with transaction() as db:
        grant_credit(db, session.operator(), tenant_id=tenant.id, credit=written)


session.operator()
place = page_header("Contracts and credit", "What was agreed with a workspace beside its plan.")
with reading() as db:
    tenants = {tenant.id: tenant.name for tenant in agreements.workspaces(db, session.operator())}
if not tenants:
    empty_state("No workspaces yet", "Create one with `tuneport tenant create`.", icon=":material/domain:")
    st.stop()

with st.container(horizontal=True, vertical_alignment="bottom"):
    tenant_id = choice("Workspace", tenants, param="tenant", width=360)
    view = st.segmented_control(
        "What",
        list(VIEWS),
        default="contract",
        format_func=VIEWS.__getitem__,
        required=True,
        label_visibility="collapsed",
        key="view",
        bind="query-params",
    )
with reading() as db:
    agreed = agreements.agreements(db, session.operator(), tenant_id=tenant_id)
tenant = agreed.tenant

if view == "contract":
    if agreed.contracts:
        contract_table(list(agreed.contracts), tenant.currency)
        for one in agreed.contracts:
            if contracts.terms_of(one).fee is not None:
                with st.expander(f"Instalments of {literal(one.title)} from {words.day(one.starts_on)}"):
                    instalment_table(one)
        end_contract(tenant, agreed.contracts)
    else:
        empty_state(
            "No contract",
            "This workspace pays by its plan alone. Write one below.",
            icon=":material/handshake:",
        )
    st.subheader("A new contract", anchor=False)
    fields, preview = side_by_side()
    with fields, st.container(border=True):
        contract = contract_fields(
            tenant, agreed.contracts, key=f"contract:{tenant.id}:{len(agreed.contracts)}"
        )
    with preview:
        is_good = contract_preview(tenant, contract)
    with place:
        if st.button("Sign contract", type="primary", icon=":material/handshake:", disabled=not is_good):
            assert contract is not None
            confirm(
                f"Sign “{literal(contract.title)}” with {literal(tenant.name)}?",
                loses=f"It binds the workspace for {words.count(contract.months, 'month')} from "
                f"{words.month(contract.first.first)} on. It can end early, for what is not invoiced.",
                verb="Sign",
                act=partial(sign, tenant, contract),
                done=f"{tenant.name} has the contract “{contract.title}”.",
            )
elif view == "credit":
    if agreed.granted:
        credit_table(list(agreed.granted), tenant.time_zone)
        st.caption("In the order in which it is spent. Used is what finalised invoices took.")
        end_credit(tenant, agreed.granted)
    else:
        empty_state(
            "No credit", "Nothing was given or paid ahead. Grant it below.", icon=":material/savings:"
        )
    st.subheader("New credit", anchor=False)
    fields, preview = side_by_side()
    with fields, st.container(border=True):
        credit = credit_fields(tenant, key=f"credit:{tenant.id}:{len(agreed.granted)}")
    with preview:
        is_good = credit_preview(tenant, credit)
    with place:
        if st.button("Grant credit", type="primary", icon=":material/savings:", disabled=not is_good):
            assert credit is not None
            confirm(
                f"Grant {words.amount(credit.amount)} to {literal(tenant.name)}?",
                loses="It pays invoices before anything is owed. It can end early, for what is not invoiced.",
                verb="Grant",
                act=partial(grant, tenant, credit),
                done=f"{tenant.name} has {words.amount(credit.amount)} of credit.",
            )
elif agreed.redemptions:
    redemption_table(tenant, agreed.redemptions)
else:
    empty_state("No coupons", "This workspace has taken none up.", icon=":material/local_offer:")
