"""Partners: who brings customers, the share of what those pay, and the statement of a month."""

from decimal import Decimal

import pandas as pd
import streamlit as st

from portal import format as words
from portal import session
from portal.components.choice import choice
from portal.components.confirm import confirm
from portal.components.download import staff_download_link
from portal.components.empty import empty_state
from portal.components.header import page_header
from portal.components.notice import announce, complain
from portal.components.side_by_side import side_by_side
from portal.highlight import literal
from portal.written import decimal_of
from services import clock
from services.billing import agreements, partners
from services.billing.partners import Statement
from services.billing.period import Month
from services.billing.tables import Partner
from services.db import reading, transaction
from services.errors import ServiceError

RIGHT = st.column_config.TextColumn(alignment="right")
MONTHS_BACK = 12
NOBODY = ""


def percent_of(partner: Partner) -> str:
    """Its share, as people write it."""
    return f"{Decimal(partner.share_percent).normalize():f} %"


def partner_table(known: list[Partner], brought: dict[str, list[str]]) -> None:
    """Every partner with the workspaces that it has brought."""
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Partner": partner.name,
                    "Share": percent_of(partner),
                    "Workspaces": len(brought.get(partner.id, ())),
                    "Brought": ", ".join(brought.get(partner.id, ())) or "nobody yet",
                    "Since": words.day(partner.created_at),
                }
                for partner in known
            ]
        ),
        hide_index=True,
        column_config={
            "Partner": st.column_config.TextColumn(width="medium"),
            "Share": RIGHT,
            "Workspaces": st.column_config.NumberColumn(width="small"),
        },
    )


def statement_table(told: Statement) -> None:
    """The month's invoices with the share of each, and their sums."""
    if not told.shares:
        empty_state(
            f"Nothing in {words.month(told.month.first)}",
            "No invoice of a workspace that this partner has brought is of this month.",
            icon=":material/receipt_long:",
        )
        return
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Workspace": share.workspace,
                    "Invoice": share.number,
                    "Before tax": words.amount(share.net),
                    "Share": words.amount(share.share),
                }
                for share in told.shares
            ]
        ),
        hide_index=True,
        column_config={
            "Before tax": st.column_config.TextColumn(alignment="right", help="Less credit notes."),
            "Share": RIGHT,
        },
    )
    st.markdown(
        f"{percent_of(told.partner)} of what they pay is **{words.amounts(told.totals)}**, each share "
        "rounded by itself."
    )


def add(name: str, share: Decimal) -> None:
    """Add a partner."""
    with transaction() as db:
        partners.add_partner(db, session.operator(), name=name, share_percent=share)


def assign(tenant_id: str, partner_id: str, done: str) -> None:
    """Note who has brought a workspace."""
    try:
        with transaction() as db:
            partners.bring(db, session.operator(), tenant_id=tenant_id, partner_id=partner_id or None)
    except ServiceError as error:
        complain(error)
    else:
        announce(done)


session.operator()
place = page_header("Partners", "Who brings customers gets a share of what they pay.")
with reading() as db:
    known = partners.partners(db, session.operator())
    brought = partners.brought(db, session.operator())
    tenants = agreements.workspaces(db, session.operator())
names = {tenant.id: tenant.name for tenant in tenants}
of_partner: dict[str, list[str]] = {}
for tenant in tenants:
    if partner_id := brought.get(tenant.id):
        of_partner.setdefault(partner_id, []).append(tenant.name)

if known:
    partner_table(known, of_partner)
else:
    empty_state("No partners yet", "Add the first one below.", icon=":material/diversity_3:")

left, right = side_by_side()
with left:
    st.subheader("A new partner", anchor=False)
    with st.container(border=True):
        name = st.text_input("Name", key=f"name:{len(known)}", max_chars=120)
        written = st.text_input("Share in percent", key=f"share:{len(known)}", placeholder="12.5")
        share = decimal_of(written)
        is_share = share is not None and 0 <= share <= 100
        if written.strip() and not is_share:
            st.error("The share is no percentage from 0 to 100, such as 12.5.", icon=":material/error:")
        elif share is not None:
            st.caption(f"Of an invoice of €1,000.00 before tax they get €{share * 10:,.2f}.")
with right:
    st.subheader("Who brought whom", anchor=False)
    with st.container(border=True):
        if known and names:
            tenant_id = choice("Workspace", names, param="tenant")
            choices = {NOBODY: "Nobody"} | {partner.id: partner.name for partner in known}
            chosen = st.selectbox(
                "Brought by",
                list(choices),
                index=list(choices).index(brought.get(tenant_id) or NOBODY),
                format_func=choices.__getitem__,
                key=f"brought:{tenant_id}",
            )
            st.button(
                "Note it",
                disabled=chosen == (brought.get(tenant_id) or NOBODY),
                on_click=assign,
                args=(
                    tenant_id,
                    chosen,
                    f"{names[tenant_id]} was brought by {choices[chosen] if chosen else 'nobody'}.",
                ),
            )
            st.caption("It counts for every statement, those of earlier months too.")
        else:
            st.caption("Once there is a partner, note here which workspaces it has brought.")
with place:
    if st.button(
        "Add partner",
        type="primary",
        icon=":material/diversity_3:",
        disabled=not (name.strip() and is_share),
    ):
        assert share is not None
        agreed: Decimal = share
        confirm(
            f"Add {literal(name.strip())}?",
            loses=f"Its share is {agreed.normalize():f} % of every invoice of the workspaces that it brings, "
            "and does not change.",
            verb="Add partner",
            act=lambda: add(name, agreed),
            done=f"{name.strip()} is a partner.",
        )

if known:
    st.subheader("Statement", anchor=False)
    last = Month.of(clock.now(), "UTC").previous
    with st.container(horizontal=True, vertical_alignment="bottom"):
        of = choice("Partner", {partner.id: partner.name for partner in known}, param="partner", width=300)
        month = choice(
            "Month",
            {str(last.plus(-back)): words.month(last.plus(-back).first) for back in range(-1, MONTHS_BACK)},
            param="month",
            default=str(last),
            width=220,
        )
        staff_download_link("PDF", "statement-pdf", f"{of}.{month}")
        staff_download_link("CSV", "statement-csv", f"{of}.{month}")
    with reading() as db:
        told = partners.statement(db, session.operator(), partner_id=of, month=Month.parse(month))
    statement_table(told)
