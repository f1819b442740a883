"""One workspace as an operator sees it: its month, its money, its people, its limits."""

from decimal import Decimal

import pandas as pd
import streamlit as st

from portal import format as words
from portal import session
from portal.components.empty import empty_state
from portal.components.kpi import Kpi, kpi_row
from portal.components.notice import announce, complain
from services.accounts import operating
from services.accounts.operating import HEAVIEST, LONGEST_HOURS, MOST_JOBS, Allowed
from services.accounts.tables import Tenant
from services.billing.money import Money
from services.db import transaction
from services.errors import ServiceError
from services.metering.meters import METERS, TRAINING_SECONDS
from services.workspaces import Standing

_RIGHT = st.column_config.TextColumn(alignment="right")


def figures(shown: Standing) -> None:
    """The month, credit, what is owed, the queue."""
    left = sum((one.left.micros for one in shown.agreed.granted), 0)
    owed, others = words.leading(shown.owed)
    kpi_row(
        Kpi("Spend this month", words.amount(shown.spend), note="before credit and tax"),
        Kpi(
            "Credit left",
            words.amount(Money(left, shown.tenant.currency)),
            note="use stops when it is spent" if shown.on_trial else "pays what comes next",
            help="Of all grants, before the use of this month.",
        ),
        Kpi(
            "Owed",
            owed if shown.owed else "none",
            note=others or words.count(sum(1 for _, one in shown.invoices if one.micros), "open invoice"),
            note_colour="orange" if shown.owed else "gray",
        ),
        Kpi(
            "Open jobs",
            words.count(shown.open_jobs),
            note=f"of {words.count(shown.tenant.open_job_limit)} at most",
        ),
    )


def used_table(shown: Standing) -> None:
    """Use of the present month by meter."""
    if not shown.used:
        empty_state("Nothing used yet", "This month’s use stands here.", icon=":material/monitoring:")
        return
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Meter": METERS[total.meter].title,
                    "Quantity": _quantity(total.meter, total.quantity),
                    "Events": words.count(total.events),
                }
                for total in shown.used
            ]
        ),
        hide_index=True,
        column_config=dict.fromkeys(("Quantity", "Events"), _RIGHT),
        alt="This month’s use by meter",
    )


def _quantity(meter: str, quantity: Decimal) -> str:
    if meter == TRAINING_SECONDS.name:
        return words.duration(float(quantity))
    return words.count(quantity, METERS[meter].unit)


def people_table(shown: Standing) -> None:
    """Who is in it."""
    if not shown.people:
        empty_state("Nobody yet", "Whoever is invited stands here after signing in.", icon=":material/group:")
        return
    st.dataframe(
        pd.DataFrame(
            [
                {"Name": one.name, "E-mail": one.email, "Role": one.role.value.capitalize()}
                for one in shown.people
            ]
        ),
        hide_index=True,
        alt="People of the workspace",
    )


def invoice_table(shown: Standing) -> None:
    """Its invoices, newest first."""
    if not shown.invoices:
        empty_state(
            "No invoice yet", "The first one is made after its first month.", icon=":material/receipt_long:"
        )
        return
    st.dataframe(
        pd.DataFrame(
            [
                {
                    "Invoice": invoice.number,
                    "State": invoice.state.value.capitalize(),
                    "Due": words.day(invoice.due_on) if invoice.due_on else "",
                    "Total": words.money(invoice.total, invoice.currency),
                    "Owed": words.amount(owed) if owed.micros else "",
                }
                for invoice, owed in shown.invoices
            ]
        ),
        hide_index=True,
        column_config=dict.fromkeys(("Total", "Owed"), _RIGHT),
        alt="Invoices of the workspace, newest first",
    )


def limits_form(tenant: Tenant) -> None:
    """What it may ask of the queue; saved with an entry in the audit log."""
    now = operating.allowed(tenant)
    with st.form(f"limits:{tenant.id}"):
        first, second = st.columns(2)
        running = first.number_input("Jobs at once", 1, MOST_JOBS, now.running_jobs)
        waiting = second.number_input("Open jobs", 1, MOST_JOBS, now.open_jobs, help="Waiting and running.")
        hours = first.number_input("Hours of a run at most", 1, LONGEST_HOURS, now.hours)
        weight = second.number_input(
            "Weight",
            1,
            HEAVIEST,
            now.share_weight,
            help="Of weight 2 it gets twice the turns of one of weight 1 while both have jobs waiting.",
        )
        if st.form_submit_button("Save limits"):
            _save(tenant, Allowed(int(running), int(waiting), int(hours), int(weight)))
    st.caption("A change of its plan sets them anew.")


def _save(tenant: Tenant, limits: Allowed) -> None:
    try:
        with transaction() as db:
            operating.allow(db, session.operator(), tenant_id=tenant.id, limits=limits)
    except ServiceError as error:
        complain(error)
    else:
        announce(f"The limits of {tenant.name} are saved.")
    st.rerun()
