"""What our own staff asks about money across all workspaces; it reads and never writes."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from sqlmodel import Session, col

from services import clock
from services.accounts.scope import Member, Role, Staff, StaffRole, owned
from services.accounts.service import all_tenants
from services.accounts.tables import Tenant
from services.billing import contracts, dunning, profiles
from services.billing.commitment import Commitment
from services.billing.drafting import draft_month, figures_of, invoice_of
from services.billing.money import EXACT, Money, rounded
from services.billing.owing import outstanding
from services.billing.period import Month
from services.billing.plans import Plan
from services.billing.rating import draft
from services.billing.subscriptions import current_plan, plan_versions, subscription
from services.billing.tables import Invoice, InvoiceState
from services.config import settings
from services.jobs.tables import Job, JobAttempt
from services.metering import service as metering

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A workspace's use of a month at the prices that rated it, and at others, before discounts and tax."""

    tenant: Tenant
    was: Money
    would_be: Money


@dataclass(frozen=True, slots=True)
class Margin:
    """A workspace's month: what it pays before tax, and what its runs cost on our devices."""

    tenant: Tenant
    revenue: Money
    cost: Money
    device_hours: Decimal

    @property
    def margin(self) -> Money:
        """What is left."""
        return self.revenue - self.cost


@dataclass(frozen=True, slots=True)
class Owed:
    """An invoice of which something is owed, and for how many days it has been overdue."""

    tenant: Tenant
    invoice: Invoice
    owed: Money
    days_late: int


def what_if(session: Session, staff: Staff, plan: Plan, *, month_of: datetime | None = None) -> list[WhatIf]:
    """What last month's real use of everybody on a plan would have cost by another version of it."""
    staff.require(StaffRole.admin)
    found = []
    for tenant in all_tenants(session):
        member = Member(tenant_id=tenant.id, role=Role.owner)
        if current_plan(session, member).name != plan.name:
            continue
        month = Month.of(month_of or clock.now(), tenant.time_zone).previous
        uses = metering.uses(session, member, first=month.first, last=month.last)
        taxes, period = profiles.taxes(session, member), (month.first, month.last)
        was = draft(uses, versions=plan_versions(session, member), taxes=taxes, period=period)
        new = replace(plan, valid_from=month.first)
        would_be = draft(uses, versions=[new], taxes=taxes, period=period)
        if was.subtotal.micros or would_be.subtotal.micros:
            found.append(WhatIf(tenant, was.subtotal, would_be.subtotal))
    return sorted(found, key=lambda row: (row.would_be - row.was).micros)


def recurring(session: Session, staff: Staff) -> dict[str, Money]:
    """What comes in every month by plans and contracts alone (MRR), by currency: use is not in it."""
    staff.require(StaffRole.admin)
    sums: dict[str, Money] = {}
    for tenant in all_tenants(session):
        member = Member(tenant_id=tenant.id, role=Role.owner)
        for amount in _monthly(session, member, tenant):
            sums[amount.currency] = sums.get(amount.currency, Money.zero(amount.currency)) + amount
    return sums


def _monthly(session: Session, member: Member, tenant: Tenant) -> list[Money]:
    amounts = []
    current = subscription(session, member)
    if current is not None and not current.trial:
        plan = current_plan(session, member)
        amounts += [plan.fee] if plan.fee else []
    month = Month.of(clock.now(), tenant.time_zone)
    contract = contracts.contract_in(session, member, month)
    if contract is not None:
        terms, months = contracts.terms_of(contract), contracts.term_months(contract)
        if terms.fee is not None:
            signed = contracts.signed_months(contract)
            amounts.append(_part(terms.fee.amount, signed, terms.fee.currency))
        if terms.commitment is not None:
            amounts.append(_promised(terms.commitment, 1 if terms.every_month else months, tenant.currency))
    return amounts


def _promised(commitment: Commitment, months: int, currency: str) -> Money:
    return _part(commitment.amount, months, currency)


def _part(amount: Decimal, months: int, currency: str) -> Money:
    # A figure to look at: a cent of a third is of no matter.
    return rounded((amount * 100 // months).scaleb(-2, EXACT), currency)


def margins(session: Session, staff: Staff, *, month: Month) -> list[Margin]:
    """Every workspace's month, the largest revenue first; costs are those of the settings."""
    staff.require(StaffRole.admin)
    found = []
    for tenant in all_tenants(session):
        member = Member(tenant_id=tenant.id, role=Role.owner)
        invoice = invoice_of(session, member, month)
        if invoice is not None and invoice.state is InvoiceState.void:
            revenue = Money.zero(invoice.currency)
        else:
            revenue = (figures_of(invoice) if invoice else draft_month(session, member, month)).net
        seconds = _device_seconds(session, member, month, tenant.time_zone)
        rates = {"cpu": settings().cost_cpu_hour, "cuda": settings().cost_cuda_hour}
        cost = sum((used * rates.get(device, Decimal(0)) for device, used in seconds.items()), Decimal(0))
        hours = sum(seconds.values(), Decimal(0))
        if revenue.micros or hours:
            found.append(
                Margin(
                    tenant=tenant,
                    revenue=revenue,
                    cost=rounded(_hours(cost), revenue.currency),
                    device_hours=_hours(hours),
                )
            )
    return sorted(found, key=lambda row: -row.revenue.micros)


def _hours(seconds: Decimal) -> Decimal:
    return (seconds * 10**6 // 3600).scaleb(-6)


def _device_seconds(session: Session, member: Member, month: Month, zone: str) -> dict[str, Decimal]:
    """Seconds that the workspace's attempts held a device, also those that nobody pays for."""
    start, end = month.start(zone), month.end(zone)
    attempts = owned(JobAttempt, member).where(
        col(JobAttempt.ended_at) >= start, col(JobAttempt.ended_at) < end
    )
    jobs = {job.id: job for job in session.exec(owned(Job, member))}
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for attempt in session.exec(attempts):
        assert attempt.ended_at is not None
        job = jobs[attempt.job_id]
        held = Decimal((attempt.ended_at - attempt.claimed_at) // _MILLISECOND).scaleb(-3)
        sums[job.device or job.quoted_device_class] += max(held, Decimal(0))
    return dict(sums)


def receivables(session: Session, staff: Staff) -> list[Owed]:
    """Every invoice of which something is owed, those overdue for longest first."""
    staff.require(StaffRole.admin)
    found = []
    for tenant in all_tenants(session):
        member = Member(tenant_id=tenant.id, role=Role.owner)
        unpaid = owned(Invoice, member).where(
            col(Invoice.state).in_([InvoiceState.open, InvoiceState.uncollectible])
        )
        late = {invoice.id for invoice in dunning.overdue(session, member)}
        for invoice in session.exec(unpaid):
            owed = outstanding(session, member, invoice)
            days = 0
            if invoice.id in late and invoice.due_on is not None:
                days = (clock.now().date() - invoice.due_on).days
            found.append(Owed(tenant, invoice, owed, days))
    return sorted(found, key=lambda row: (-row.days_late, row.invoice.number))
