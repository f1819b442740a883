"""Billing runs: a month of all workspaces, looked at before it is closed, and closed each by itself.

A run keeps no state of its own: what is closed is closed, so a run that broke goes on where it stopped.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session

from services import clock
from services.accounts.scope import Member, Role, Staff, StaffRole
from services.accounts.service import all_tenants
from services.accounts.tables import Tenant
from services.billing import closing, monitor
from services.billing.drafting import draft_month, figures_of, invoice_of, uses_of
from services.billing.errors import BillingParked, MonthNotOver
from services.billing.invoicing import Draft
from services.billing.period import Month
from services.billing.tables import Invoice


class Step(StrEnum):
    """Where a workspace's month stands."""

    parked = "parked"  # its figures do not agree, or an error stopped it
    ready = "ready"
    waiting = "waiting"  # use may still arrive
    nothing = "nothing"  # there is nothing to invoice
    closed = "closed"


@dataclass(frozen=True, slots=True)
class Row:
    """A workspace's month in a run; `figures` are those of its invoice or its draft, for whoever looks."""

    tenant: Tenant
    step: Step
    figures: Draft | None
    invoice: Invoice | None = None
    findings: tuple[str, ...] = ()


Opened = Callable[[], AbstractContextManager[Session]]

# Months that one process closes at a time on Postgres: while one waits for the database, another is added up.
# SQLite lets one transaction write at a time.
AT_A_TIME = 4


def dry_run(session: Session, staff: Staff, *, month: Month) -> list[Row]:
    """What closing a month would do to every workspace; it writes nothing."""
    staff.require(StaffRole.admin)
    return [_looked_at(session, tenant, month) for tenant in all_tenants(session)]


def _looked_at(session: Session, tenant: Tenant, month: Month) -> Row:
    member = Member(tenant_id=tenant.id, role=Role.owner)
    if invoice := invoice_of(session, member, month):
        return Row(tenant, Step.closed, figures_of(invoice), invoice)
    uses = uses_of(session, member, month)
    figures = draft_month(session, member, month, uses=uses)
    held = monitor.hold(session, member)
    found = (
        held.findings
        if held
        else monitor.findings(session, member, month, figures, uses, compare_hours=False)
    )
    if found:
        return Row(tenant, Step.parked, figures, findings=tuple(found))
    if clock.now() < month.end(tenant.time_zone) + closing.GRACE:
        return Row(tenant, Step.waiting, figures)
    return Row(tenant, Step.nothing if figures.is_empty else Step.ready, figures)


def close_all(months: Iterable[tuple[Tenant, Month]], *, opened: Opened) -> Iterator[Row]:
    """Close a month of each workspace as `close` does, several at a time; gives their rows in their order."""
    with opened() as session:
        at_a_time = 1 if session.get_bind().dialect.name == "sqlite" else AT_A_TIME
    with ThreadPoolExecutor(at_a_time, thread_name_prefix="close") as closers:
        yield from closers.map(lambda one: close(*one, opened=opened), months)


def close(tenant: Tenant, month: Month, *, opened: Opened) -> Row:
    """Close a workspace's month in a transaction of its own; where it cannot be, the workspace is parked.

    `opened` opens the transaction. Nothing that one workspace does stops the others.
    """
    member = Member(tenant_id=tenant.id, role=Role.owner)
    try:
        with opened() as session:
            invoice = closing.close_month(session, member, year=month.year, month=month.month)
    except MonthNotOver:
        return Row(tenant, Step.waiting, None)
    except BillingParked as parked:
        found = parked.findings
    except LookupError as error:
        # Use that no plan sells: a mistake of ours, and none of the customer's.
        found = [f"{error}."]
    else:
        step = Step.closed if invoice else Step.nothing
        return Row(tenant, step, None, invoice)
    with opened() as session:
        monitor.park(session, member, found)
    return Row(tenant, Step.parked, None, findings=tuple(found))
