"""Closing a month: a draft becomes an invoice with a number, and never changes again."""

from datetime import datetime, timedelta

from sqlmodel import Session, col

from services import clock
from services.accounts import audit
from services.accounts.scope import Member, owned
from services.accounts.service import lock_tenant_to_bill
from services.accounts.tables import Tenant
from services.billing import letters, monitor
from services.billing.ahead import Rated, rate
from services.billing.books import Books
from services.billing.drafting import invoice_of
from services.billing.errors import BillingParked, MonthIsClosed, MonthNotOver
from services.billing.heading import snapshot_of
from services.billing.invoicing import Draft
from services.billing.numbers import INVOICES, next_number
from services.billing.period import Month
from services.billing.tables import CreditEntry, CreditNote, Invoice, InvoiceState
from services.ledger.block import Head
from services.ledger.sealing import seal_all
from services.metering.days import day_of

# Use that is told late still counts while its month waits this long.
GRACE = timedelta(hours=24)


def closes_at(tenant: Tenant, month: Month) -> datetime:
    """From when on a month of the workspace can be closed."""
    return month.end(tenant.time_zone) + GRACE


def close_month(
    session: Session, member: Member, *, year: int, month: int, ahead: Rated | None = None
) -> Invoice | None:
    """Finalise a month of the member's workspace under the next number; None where nothing was used.

    A second close returns the first invoice. What was rated `ahead` is taken where it still holds. The
    number is taken last, and its row stays locked until the transaction ends, so that numbers have no gaps
    and nobody waits for another tenant's sums.

    Raises:
        UnknownMonth: there is no such month.
        MonthNotOver: it is not over, or its 24 hours of grace are not.
        BillingParked: the workspace's figures do not agree with one another, and nobody has looked yet.
    """
    closing = Month(year, month)
    if earlier := invoice_of(session, member, closing):
        return earlier
    ledger, tenant = _held(session, member)
    if earlier := invoice_of(session, member, closing):
        return earlier
    return _finalise(session, member, tenant, closing, ledger, ahead)


def finalise(session: Session, member: Member, *, month: Month) -> Invoice | None:
    """Close a month that is not closed yet; of two that ask at the same instant one is refused.

    Raises:
        MonthIsClosed: it has an invoice already.
        MonthNotOver, BillingParked: as `close_month` says.
    """
    ledger, tenant = _held(session, member)
    if earlier := invoice_of(session, member, month):
        raise MonthIsClosed(month, earlier.number)
    return _finalise(session, member, tenant, month, ledger)


def _held(session: Session, member: Member) -> tuple[Head, Tenant]:
    """The ledger, sealed to its end, and the workspace; neither moves until the transaction ends.

    Figures, seals and monitor then speak of the same events, whoever records meanwhile. A finished job takes
    the two in the same order; who closes the same month waits here, and then finds the invoice.
    """
    ledger = seal_all(session, member.tenant_id)
    return ledger, lock_tenant_to_bill(session, member)


def _finalise(
    session: Session,
    member: Member,
    tenant: Tenant,
    closing: Month,
    ledger: Head,
    ahead: Rated | None = None,
) -> Invoice | None:
    now = clock.now()
    if now < (from_then_on := closes_at(tenant, closing)):
        raise MonthNotOver(closing, from_then_on)
    if held := monitor.hold(session, member):
        raise BillingParked(held.findings)
    books = Books(session, member)
    rated = rate(session, member, closing, ledger=ledger, books=books, ahead=ahead)
    if wrong := [*rated.findings, *monitor.of_credits(session, member)]:
        raise BillingParked(wrong)
    draft = rated.draft
    if draft.is_empty:
        return None

    issued_on = day_of(now, tenant.time_zone)
    sequence, number = next_number(session, INVOICES, issued_on.year)
    snapshot = snapshot_of(session, member, closing, draft, number=number, ledger=ledger, books=books)
    invoice = Invoice(
        tenant_id=tenant.id,
        year=issued_on.year,
        sequence=sequence,
        number=number,
        state=InvoiceState.open if draft.payable.micros else InvoiceState.paid,
        period_start=closing.start(tenant.time_zone),
        period_end=closing.end(tenant.time_zone),
        currency=draft.currency,
        total=draft.total.micros,
        payable=draft.payable.micros,
        due_on=snapshot.due_on,
        snapshot=snapshot.to_column(),
        finalised_at=now,
    )
    session.add(invoice)
    session.flush()
    _use_up(session, member, invoice, draft)
    letters.note(session, invoice)
    audit.record(session, member, "invoice.finalised", invoice.id, number=number)
    return invoice


def _use_up(session: Session, member: Member, invoice: Invoice, draft: Draft) -> None:
    """Trace what grants and credit notes paid of an invoice."""
    for use in draft.credits:
        entry = CreditEntry(
            tenant_id=member.tenant_id,
            grant_id=use.grant_id,
            invoice_id=invoice.id,
            amount=use.amount.micros,
        )
        session.add(entry)
    used = {use.credit_note: use.amount.micros for use in draft.balances}
    if not used:
        session.flush()
        return
    for note in session.exec(owned(CreditNote, member).where(col(CreditNote.number).in_(used))):
        note.left -= used[note.number]
        session.add(note)
    session.flush()
