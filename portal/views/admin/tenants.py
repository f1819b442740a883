"""Workspaces: all of them, and one (`?tenant=`) with its month, limits, plan, credit and people."""

from functools import partial

import streamlit as st

from portal import format as words
from portal import session
from portal.components.confirm import confirm
from portal.components.empty import empty_state
from portal.components.header import page_header
from portal.components.payment_list import payment_list
from portal.components.status import status_badge
from portal.components.workspace_table import workspace_table
from portal.components.workspace_view import (
    figures,
    invoice_table,
    limits_form,
    people_table,
    used_table,
)
from portal.highlight import literal
from services import reports, workspaces
from services.accounts import operating
from services.accounts.tables import Tenant
from services.billing.credits import end_trial
from services.db import reading, transaction
from services.workspaces import Standing

PAGE = "views/admin/tenants.py"


def bill(tenant_id: str) -> None:
    """Let a workspace go on by invoice."""
    with transaction() as db:
        end_trial(db, session.operator(), tenant_id=tenant_id)


def reopen(tenant_id: str) -> None:
    """Let it start things again."""
    with transaction() as db:
        operating.reopen(db, session.operator(), tenant_id=tenant_id)


def suspend(tenant_id: str, reason: str) -> None:
    """Let nothing be started in it."""
    with transaction() as db:
        operating.suspend(db, session.operator(), tenant_id=tenant_id, reason=reason)


def every_workspace() -> None:
    """The list."""
    # The link back to the same page leaves the address as it was: a reload would open the one again.
    st.query_params.from_dict(st.query_params.to_dict())
    page_header("Workspaces", "All of them, those that earn most this month first. Amounts are before tax.")
    with reading() as db:
        rows = reports.tenants(db, session.operator())
    if not rows:
        empty_state(
            "No workspaces yet", "Create one with `tuneport tenant create`.", icon=":material/domain:"
        )
        return
    wanted = st.text_input("Find", placeholder="Find a workspace by its name", label_visibility="collapsed")
    found = [row for row in rows if wanted.strip().casefold() in row.tenant.name.casefold()]
    pressed = workspace_table(found)
    st.caption("Choose a line to see a workspace with its use, limits, plan, credit and people.")
    if pressed is not None:
        st.query_params["tenant"] = pressed
        st.rerun()


def way_in(tenant: Tenant) -> None:
    """Suspend it, or open it again."""
    name = literal(tenant.name)
    if tenant.suspended_at is None:
        with st.popover("Suspend", icon=":material/block:"):
            reason = st.text_input("Reason, as the customer reads it in the audit log", key="reason")
            if st.button("Suspend it", disabled=not reason.strip()):
                confirm(
                    f"Suspend {name}?",
                    loses="Nothing can be trained, predicted or uploaded in it from now on, by page or by "
                    "program, and jobs that wait stay where they are. What runs ends as it would, nothing is "
                    "deleted, and invoices go on.",
                    verb="Suspend",
                    act=partial(suspend, tenant.id, reason),
                    done=f"{tenant.name} is suspended.",
                )
    elif st.button("Open it again", type="primary", icon=":material/lock_open:"):
        confirm(
            f"Open {name} again?",
            loses="Its programs may predict again, and jobs that waited are run.",
            verb="Open it",
            act=partial(reopen, tenant.id),
            done=f"{tenant.name} is open again.",
        )


def plan(shown: Standing) -> None:
    """What it is on, and the way out of a trial."""
    tenant = shown.tenant
    fee = f", {words.amount(shown.plan.fee)} a month" if shown.plan.fee else ""
    since = f" since {words.day(shown.since)}" if shown.since else ""
    with st.container(border=True):
        st.markdown(f"**{literal(shown.plan.title)}**{fee}{since}")
        if shown.on_trial:
            st.caption("On trial: use stops when the credit is spent.")
            if st.button("Bill by invoice", icon=":material/receipt_long:"):
                confirm(
                    f"Bill {literal(tenant.name)} by invoice?",
                    loses="Their use no longer stops when the trial credit is spent; what the credit leaves "
                    "is invoiced. There is no way back to the trial.",
                    verb="Bill by invoice",
                    act=partial(bill, tenant.id),
                    done=f"{tenant.name} pays by invoice from now on.",
                )
        agreed = shown.agreed
        st.page_link(
            "views/admin/agreements.py",
            label=f"{words.count(len(agreed.contracts), 'contract')}, "
            f"{words.count(len(agreed.granted), 'credit grant')}, "
            f"{words.count(len(agreed.redemptions), 'coupon')}",
            icon=":material/handshake:",
            query_params={"tenant": tenant.id},
        )


def one_workspace(tenant_id: str) -> None:
    """All that there is to know of one."""
    with reading() as db:
        shown = workspaces.standing(db, session.operator(), tenant_id=tenant_id)
    tenant = shown.tenant
    since = f"Since {words.day(tenant.created_at)}, days of {tenant.time_zone}, billed in {tenant.currency}."
    with page_header(tenant.name, since, back=(PAGE, "Workspaces")):
        way_in(tenant)
    status_badge("suspended" if tenant.suspended_at else "trial" if shown.on_trial else "active")
    figures(shown)
    with st.grid(2, min_column_width=400, gap="medium"):
        with st.container():
            st.subheader("Use this month", anchor=False)
            used_table(shown)
        with st.container():
            st.subheader("Invoices", anchor=False)
            invoice_table(shown)
        with st.container():
            st.subheader("Plan and agreements", anchor=False)
            plan(shown)
        with st.container():
            st.subheader("People", anchor=False)
            people_table(shown)
        with st.container():
            st.subheader("Limits", anchor=False)
            limits_form(tenant)
    st.subheader("Payments", anchor=False)
    payment_list(shown.payments)


session.operator()
if chosen := st.query_params.get("tenant"):
    one_workspace(chosen)
else:
    every_workspace()
