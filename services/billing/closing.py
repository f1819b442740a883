"""Closing a month: a draft becomes an invoice with a number, and never changes again."""

from datetime import timedelta

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from services import clock
from services.accounts import audit
from services.accounts.scope import Member
from services.accounts.tables import Tenant
from services.billing.drafting import draft_month, invoice_of, snapshot_of
from services.billing.errors import MonthNotOver
from services.billing.period import Month
from services.billing.tables import Invoice, InvoiceCounter, InvoiceState
from services.metering.days import day_of

# Use that is told late still counts while its month waits this long.
GRACE = timedelta(hours=24)


def close_month(session: Session, member: Member, *, year: int, month: int) -> Invoice | None:
    """Finalise a month of the member's workspace under the next number; None where nothing was used.

    A second close returns the first invoice. The number is taken last, and its row stays locked until the
    transaction ends, so that numbers have no gaps and nobody waits for another tenant's sums.

    Raises:
        UnknownMonth: there is no such month.
        MonthNotOver: it is not over, or its 24 hours of grace are not.
    """
    closing = Month(year, month)
    # Whoever closes the same month waits here, and then finds the invoice. A suspended workspace owes, too.
    tenant = session.exec(
        select(Tenant).where(Tenant.id == member.tenant_id).with_for_update(key_share=True)
    ).one()
    if earlier := invoice_of(session, member, closing):
        return earlier
    now = clock.now()
    closes_at = closing.end(tenant.time_zone) + GRACE
    if now < closes_at:
        raise MonthNotOver(closing, closes_at)
    draft = draft_month(session, member, closing)
    if draft.is_empty:
        return None

    issued_on = day_of(now, tenant.time_zone)
    sequence = _next_number(session, issued_on.year)
    number = f"TP-{issued_on.year}-{sequence:06d}"
    snapshot = snapshot_of(session, member, closing, draft, number=number)
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
        snapshot=snapshot.to_json(),
        # Events recorded after this instant are not in these figures.
        finalised_at=now,
    )
    session.add(invoice)
    session.flush()
    audit.record(session, member, "invoice.finalised", invoice.id, number=number)
    return invoice


def _next_number(session: Session, year: int) -> int:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    counted = (
        insert(InvoiceCounter)
        .values(year=year, last=1)
        .on_conflict_do_update(index_elements=["year"], set_={"last": col(InvoiceCounter.last) + 1})
        .returning(col(InvoiceCounter.last))
    )
    number: int = session.execute(counted).scalar_one()
    return number
