"""Billing runs: a month of all workspaces, looked at before it is closed, and closed each by itself.

A run keeps no state of its own: what is closed is closed, so a run that broke goes on where it stopped.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlmodel import Session

from services import clock
from services.accounts.scope import Member, Role, Staff, StaffRole
from services.accounts.service import all_tenants
from services.accounts.tables import Tenant
from services.billing import closing, monitor
from services.billing.ahead import Rated, rate_ahead
from services.billing.drafting import draft_month, figures_of, invoice_of, uses_of
from services.billing.errors import BillingParked, MonthNotOver
from services.billing.invoicing import Draft
from services.billing.money import Money
from services.billing.period import Month
from services.billing.tables import Invoice
from services.db import reading, transaction


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


@dataclass(frozen=True, slots=True)
class Closed:
    """How the close of a workspace's month ended: with an invoice, with findings, or with neither."""

    step: Step
    number: str = ""
    total: Money | None = None
    findings: tuple[str, ...] = ()


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
    found = held.findings if held else monitor.findings(session, member, figures, uses)
    if found:
        return Row(tenant, Step.parked, figures, findings=tuple(found))
    if clock.now() < closing.closes_at(tenant, month):
        return Row(tenant, Step.waiting, figures)
    return Row(tenant, Step.nothing if figures.is_empty else Step.ready, figures)


def close(tenant: Tenant, month: Month) -> Closed:
    """Close a workspace's month in a transaction of its own; where it cannot be, the workspace is parked.

    Nothing that one workspace does stops the others.
    """
    if clock.now() < closing.closes_at(tenant, month):
        return Closed(Step.waiting)
    member = Member(tenant_id=tenant.id, role=Role.owner)
    try:
        ahead = _ahead(member, month)
        with transaction() as session:
            invoice = closing.close_month(session, member, year=month.year, month=month.month, ahead=ahead)
    except MonthNotOver:
        return Closed(Step.waiting)
    except BillingParked as parked:
        found = parked.findings
    except LookupError as error:
        # Use that no plan sells: a mistake of ours, and none of the customer's.
        found = [f"{error}."]
    else:
        return of_invoice(invoice) if invoice else Closed(Step.nothing)
    with transaction() as session:
        monitor.park(session, member, found)
    return Closed(Step.parked, findings=tuple(found))


def of_invoice(invoice: Invoice) -> Closed:
    """What there is to say of a month that has its invoice."""
    return Closed(Step.closed, invoice.number, Money(invoice.total, invoice.currency))


def _ahead(member: Member, month: Month) -> Rated | None:
    with reading() as session:
        # Elsewhere a month that is closed holds up nobody but its own workspace.
        return rate_ahead(session, member, month) if session.get_bind().dialect.name == "sqlite" else None
