"""The standing monitor: do a workspace's figures agree with one another? One that fails is not billed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from sqlmodel import Session, col

from services import clock
from services.accounts import audit
from services.accounts.scope import Member, Role, Staff, StaffRole, owned
from services.accounts.service import get_tenant
from services.billing.addition import wrong_lines, wrong_sums
from services.billing.drafting import figures_of
from services.billing.invoicing import Draft
from services.billing.money import EXACT, Money
from services.billing.period import Month
from services.billing.tables import BillingHold, CreditEntry, CreditGrant, Invoice, InvoiceState
from services.metering import rollups
from services.metering.usage import Use


def findings(session: Session, member: Member, figures: Draft, uses: Sequence[Use]) -> list[str]:
    """What does not agree in a month, in a sentence each; nothing where all is well.

    `figures` are those of its draft, and `uses` what they were made of: what comes in between two looks is no
    difference. Hours are left to the hourly comparison, and to `of_month`.
    """
    return [*of_figures(figures), *of_use(figures, uses), *of_credits(session, member)]


def of_month(
    session: Session, member: Member, month: Month, figures: Draft, uses: Sequence[Use]
) -> list[str]:
    """The same with every hour compared with its events, and without credits, which are of no one month."""
    return [*of_figures(figures), *of_use(figures, uses), *_of_hours(session, member, month)]


def of_figures(figures: Draft) -> list[str]:
    """Sums of an invoice that are not the sums of its parts, and lines that are not what their price says."""
    wrong = [
        f"The {differs.what} is {differs.said}, and its parts come to {differs.found}."
        for differs in wrong_sums(figures)
    ]
    return wrong + [
        f"The line “{line.title}” ({line.key}) says {line.amount}, and its price makes it {due}."
        for line, due in wrong_lines(figures)
    ]


def of_use(figures: Draft, uses: Iterable[Use]) -> list[str]:
    """Meters whose lines do not hold the use there was; what a plan includes has no line."""
    used: dict[str, Decimal] = defaultdict(Decimal)
    billed: dict[str, Decimal] = defaultdict(Decimal)
    for use in uses:
        used[use.meter] = EXACT.add(used[use.meter], use.quantity)
    for line in figures.lines:
        billed[line.meter] = EXACT.add(billed[line.meter], line.quantity)
    return [
        f"Lines hold {billed[meter].normalize():f} of “{meter}”, "
        f"and its events come to {used[meter].normalize():f}."
        for meter in sorted(billed)
        if billed[meter] != used[meter]
    ]


def _of_hours(session: Session, member: Member, month: Month) -> list[str]:
    zone = get_tenant(session, member).time_zone
    first = month.start(zone).replace(minute=0)
    differences = rollups.differences(session, member.tenant_id, first=first, until=month.end(zone))
    return [
        f"The hour {difference.hour:%Y-%m-%d %H:00} of “{difference.meter}” is rolled up as "
        f"{difference.rolled_up_quantity.normalize():f}, and its events come to "
        f"{difference.quantity.normalize():f}."
        for difference in differences
    ]


def of_credits(session: Session, member: Member) -> list[str]:
    """Grants that are not what was used of them, has expired and is left, or whose uses no invoice tells."""
    grants = session.exec(owned(CreditGrant, member)).all()
    if not grants:
        return []
    wrong = []
    said: dict[str, Money] = {}
    for invoice in session.exec(owned(Invoice, member)):
        for use in figures_of(invoice).credits:
            said[use.grant_id] = said.get(use.grant_id, Money.zero(invoice.currency)) + use.amount
    for grant in grants:
        entries = owned(CreditEntry, member).where(CreditEntry.grant_id == grant.id)
        traced = sum(entry.amount for entry in session.exec(entries))
        used, expired, left = standing(session, member, grant)
        told = said.get(grant.id, Money.zero(grant.currency))
        if traced != told.micros:
            wrong.append(
                f"Invoices used {told} of the credit “{grant.reason}”, and its entries come to "
                f"{Money(traced, grant.currency)}."
            )
        if left.micros < 0 or used + expired + left != Money(grant.amount, grant.currency):
            wrong.append(
                f"Of the credit “{grant.reason}” {used} is used, {expired} expired and {left} left, which is "
                f"not the {Money(grant.amount, grant.currency)} that were granted."
            )
    return wrong


def standing(session: Session, member: Member, grant: CreditGrant) -> tuple[Money, Money, Money]:
    """What invoices have used of a grant, what has expired of it, and what is left for invoices to come."""
    voided = owned(Invoice, member).where(Invoice.state == InvoiceState.void)
    taken_back = {invoice.id for invoice in session.exec(voided)}
    entries = session.exec(owned(CreditEntry, member).where(CreditEntry.grant_id == grant.id))
    used = sum(entry.amount for entry in entries if entry.invoice_id not in taken_back)
    rest = Money(grant.amount - used, grant.currency)
    is_over = grant.expires_at is not None and grant.expires_at <= clock.now()
    nothing = Money.zero(grant.currency)
    return Money(used, grant.currency), rest if is_over else nothing, nothing if is_over else rest


def hold(session: Session, member: Member) -> BillingHold | None:
    """Why the workspace is not billed at present; None where it is."""
    parked = owned(BillingHold, member).where(col(BillingHold.released_at).is_(None))
    return session.exec(parked).one_or_none()


def park(session: Session, member: Member, findings: list[str]) -> BillingHold:
    """Bill a workspace no more until somebody has looked."""
    known = hold(session, member) or BillingHold(tenant_id=member.tenant_id, findings=findings)
    known.findings = findings
    session.add(known)
    session.flush()
    audit.record(session, audit.SYSTEM, "billing.parked", known.id, tenant_id=member.tenant_id)
    return known


def release(session: Session, staff: Staff, *, tenant_id: str) -> None:
    """Bill a parked workspace again; what is wrong still parks it at the next look."""
    staff.require(StaffRole.admin)
    parked = hold(session, Member(tenant_id=tenant_id, role=Role.owner))
    if parked is not None:
        parked.released_at, parked.released_by = clock.now(), staff.user_id
        session.add(parked)
        session.flush()
        audit.record(session, staff, "billing.released", parked.id, tenant_id=tenant_id)
