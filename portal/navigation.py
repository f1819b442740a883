"""Which pages a person sees, and where."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

import streamlit as st
from streamlit.navigation.page import Page

from portal.session import NoWorkspace, Visit, chosen
from services.accounts.scope import Member, Role, StaffRole

HOME = "views/customer/home.py"
SIGN_IN = "views/sign_in.py"


@dataclass(frozen=True)
class Entry:
    """One page: its file, its words, and who finds it in the sidebar (`needs` None: every member)."""

    file: str
    title: str
    icon: str
    path: str
    group: str = ""
    needs: Role | None = None
    # Reached from another page, with an id in its address.
    hidden: bool = False


CUSTOMER = (
    Entry(HOME, "Home", "home", ""),
    Entry("views/customer/datasets.py", "Data sets", "table_chart", "data-sets", "Build"),
    Entry("views/customer/dataset.py", "Data set", "table_chart", "data-set", "Build", hidden=True),
    Entry("views/customer/new_job.py", "New job", "add_circle", "new-job", "Build", Role.editor),
    Entry("views/customer/job.py", "Job", "model_training", "job", "Build", hidden=True),
    Entry("views/customer/models.py", "Models", "deployed_code", "models", "Build"),
    Entry("views/customer/model.py", "Model", "deployed_code", "model", "Build", hidden=True),
    Entry("views/customer/compare.py", "Compare", "compare_arrows", "compare", "Build", hidden=True),
    Entry("views/customer/playground.py", "Playground", "experiment", "playground", "Use"),
    Entry("views/customer/api_keys.py", "API keys", "key", "api-keys", "Use"),
    Entry("views/customer/usage.py", "Usage", "monitoring", "usage", "Account"),
    Entry("views/customer/invoices.py", "Invoices", "receipt_long", "invoices", "Account", Role.billing),
    Entry("views/customer/invoice.py", "Invoice", "receipt_long", "invoice", "Account", hidden=True),
    Entry("views/customer/plan.py", "Plan and budget", "sell", "plan", "Account", Role.billing),
    Entry("views/customer/members.py", "Members", "group", "members", "Account"),
)
STAFF = (
    Entry("views/admin/overview.py", "Overview", "dashboard", "admin", "Admin"),
    Entry("views/admin/tenants.py", "Workspaces", "domain", "workspaces", "Admin"),
    Entry("views/admin/queue.py", "Queue and workers", "dns", "queue", "Admin"),
    Entry("views/admin/prices.py", "Plans and prices", "sell", "prices", "Admin"),
    Entry("views/admin/agreements.py", "Contracts and credit", "handshake", "agreements", "Admin"),
    Entry("views/admin/coupons.py", "Coupons", "local_offer", "coupons", "Admin"),
    Entry("views/admin/partners.py", "Partners", "diversity_3", "partners", "Admin"),
    Entry("views/admin/billing_runs.py", "Billing runs", "receipt_long", "billing-runs", "Admin"),
    Entry("views/admin/revenue.py", "Revenue", "monitoring", "revenue", "Admin"),
)


def for_strangers() -> Page:
    """Every address leads to the sign-in page, so that nobody learns which addresses there are."""
    pages = [_page(Entry(SIGN_IN, "Sign in", "login", entry.path), "hidden") for entry in (*CUSTOMER, *STAFF)]
    return st.navigation(pages, position="hidden")


def for_visit(here: Visit) -> Page:
    """The pages of a person's role, in the sidebar. Those not listed check by themselves.

    Raises:
        NoWorkspace: there is no page for this person.
    """
    groups: dict[str, list[Page]] = defaultdict(list)
    if here.workspaces:
        tenant, role = chosen(here)
        member = Member(tenant_id=tenant.id, role=role, user_id=here.user.id)
        for entry in CUSTOMER:
            listed = not entry.hidden and (entry.needs is None or member.may(entry.needs))
            groups[entry.group].append(_page(entry, "visible" if listed else "hidden"))
    if here.staff is not None and here.staff.role is StaffRole.admin:
        for entry in STAFF:
            groups[entry.group].append(_page(entry, "visible"))
    if not groups:
        raise NoWorkspace
    if not here.workspaces:
        # Streamlit would give the first page the address / in place of its own, where links to it lead.
        groups[""].append(st.Page(_to_overview, title="Tuneport", default=True, visibility="hidden"))
    return st.navigation(dict(groups))


def _to_overview() -> None:
    st.switch_page(STAFF[0].file)


def _page(entry: Entry, visibility: Literal["visible", "hidden"]) -> Page:
    return st.Page(
        entry.file,
        title=entry.title,
        icon=f":material/{entry.icon}:",
        url_path=entry.path or None,
        default=not entry.path,
        visibility=visibility,
    )
