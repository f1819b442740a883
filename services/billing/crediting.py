"""Credit notes: what is taken back of a finalised invoice, with its share of the tax."""

from sqlmodel import Session

from services import clock
from services.accounts import audit
from services.accounts.scope import Member, Role, Staff, StaffRole, find
from services.accounts.service import get_tenant, lock_tenant_to_bill
from services.billing import letters
from services.billing.errors import InvoiceVoid, NothingToCredit
from services.billing.invoicing import TaxGroup
from services.billing.money import Money, total
from services.billing.notes import Note, notes_of
from services.billing.numbers import CREDIT_NOTES, next_number
from services.billing.owing import owed_at_most, received
from services.billing.snapshot import Snapshot
from services.billing.tables import CreditNote, Invoice, InvoiceState
from services.billing.taking_back import by_gross, by_net, left_of
from services.metering.days import day_of


def credit(
    session: Session,
    staff: Staff,
    *,
    tenant_id: str,
    invoice_id: str,
    reason: str,
    net: Money | None = None,
) -> CreditNote:
    """Take back a part of an invoice (`net`, before tax), or all that is left of it.

    Of an open invoice that is taken back as a whole nothing is owed any more: it is void, and the credit that
    it used is there again. What was paid already comes off later invoices.

    Raises:
        NotFound: no such invoice in the workspace.
        InvoiceVoid: it was taken back as a whole before.
        NothingToCredit: less than `net` is left of it.
    """
    staff.require(StaffRole.admin)
    member = Member(tenant_id=tenant_id, role=Role.owner)
    lock_tenant_to_bill(session, member)
    invoice = find(session, member, Invoice, invoice_id, "invoice")
    if invoice.state is InvoiceState.void:
        raise InvoiceVoid(invoice.number)
    issued = Snapshot.from_json(invoice.snapshot)
    parts = left_of(issued.draft.tax_groups, notes_of(session, member, invoice))
    left = total((part.net for part in parts), invoice.currency)
    wanted = left if net is None else net
    if not Money.zero(invoice.currency) < wanted <= left:
        raise NothingToCredit(invoice.number, left)

    groups = by_net(parts, wanted)
    gross = total((group.net + group.tax for group in groups), invoice.currency)
    owed = owed_at_most(session, member, invoice)
    # What nobody has paid yet is simply not owed any more; the rest pays invoices to come.
    balance = max(gross - owed, Money.zero(invoice.currency))
    if wanted == issued.draft.net and invoice.state is not InvoiceState.paid:
        invoice.state = InvoiceState.void
        # The grants get back what they paid, because a void invoice uses none.
        balance = received(session, member, invoice) + total(
            (use.amount for use in issued.draft.balances), invoice.currency
        )
    elif invoice.state is InvoiceState.open and owed <= gross:
        invoice.state = InvoiceState.paid
    session.add(invoice)
    return _issued(session, staff, invoice, groups, reason=reason, balance=balance)


def credit_sent_back(
    session: Session, member: Member, *, invoice_id: str, amount: Money, reason: str
) -> CreditNote | None:
    """Take back so much of an invoice, tax included, as was sent back to the customer; nothing is left over.

    Gives None where nothing of it can be taken back any more, and credits less where less can be.

    Raises:
        NotFound: no such invoice in the workspace.
    """
    lock_tenant_to_bill(session, member)
    invoice = find(session, member, Invoice, invoice_id, "invoice")
    if invoice.state is InvoiceState.void:
        return None
    issued = Snapshot.from_json(invoice.snapshot)
    parts = left_of(issued.draft.tax_groups, notes_of(session, member, invoice))
    most = min(amount, total((part.gross for part in parts), invoice.currency))
    if most.micros <= 0:
        return None
    nothing = Money.zero(invoice.currency)
    return _issued(session, audit.SYSTEM, invoice, by_gross(parts, most), reason=reason, balance=nothing)


def _issued(
    session: Session,
    actor: Staff | str,
    invoice: Invoice,
    groups: tuple[TaxGroup, ...],
    *,
    reason: str,
    balance: Money,
) -> CreditNote:
    member, now = Member(tenant_id=invoice.tenant_id, role=Role.owner), clock.now()
    issued_on = day_of(now, get_tenant(session, member).time_zone)
    issued = Snapshot.from_json(invoice.snapshot)
    net = total((group.net for group in groups), invoice.currency)
    tax = total((group.tax for group in groups), invoice.currency)
    sequence, number = next_number(session, CREDIT_NOTES, issued_on.year)
    note = Note(
        number=number,
        invoice=invoice.number,
        issued_on=issued_on,
        reason=reason,
        seller=issued.seller,
        customer=issued.customer,
        language=issued.language,
        currency=invoice.currency,
        tax_groups=groups,
        net=net,
        tax=tax,
        total=net + tax,
    )
    kept = CreditNote(
        tenant_id=invoice.tenant_id,
        invoice_id=invoice.id,
        year=issued_on.year,
        sequence=sequence,
        number=number,
        currency=invoice.currency,
        total=note.total.micros,
        balance=balance.micros,
        left=balance.micros,
        snapshot=note.to_json(),
        issued_at=now,
    )
    session.add(kept)
    session.flush()
    letters.note(session, kept)
    audit.record(
        session,
        actor,
        "credit_note.issued",
        kept.id,
        tenant_id=invoice.tenant_id,
        number=number,
        invoice=invoice.number,
    )
    return kept
