"""Credit notes: what is taken back of a finalised invoice, with its share of the tax."""

from fractions import Fraction

from sqlmodel import Session

from services import clock
from services.accounts import audit
from services.accounts.scope import Member, Role, Staff, StaffRole, find
from services.accounts.service import get_tenant, lock_tenant_to_bill
from services.billing.allocation import allocate
from services.billing.errors import InvoiceVoid, NothingToCredit
from services.billing.invoicing import TaxGroup
from services.billing.money import Money, total
from services.billing.notes import Note, notes_of
from services.billing.numbers import CREDIT_NOTES, next_number
from services.billing.owing import owed_at_most, received
from services.billing.proration import prorated
from services.billing.snapshot import Snapshot
from services.billing.tables import CreditNote, Invoice, InvoiceState
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
    issued, before = Snapshot.from_json(invoice.snapshot), notes_of(session, member, invoice)
    left = issued.draft.net - total((note.net for note in before), invoice.currency)
    wanted = left if net is None else net
    if not Money.zero(invoice.currency) < wanted <= left:
        raise NothingToCredit(invoice.number, left)

    now = clock.now()
    issued_on = day_of(now, get_tenant(session, member).time_zone)
    groups = _groups(issued.draft.tax_groups, before, wanted)
    tax = total((group.tax for group in groups), invoice.currency)
    owed = owed_at_most(session, member, invoice)
    # What nobody has paid yet is simply not owed any more; the rest pays invoices to come.
    balance = max(wanted + tax - owed, Money.zero(invoice.currency))
    is_void = wanted == issued.draft.net and invoice.state is not InvoiceState.paid
    if is_void:
        # The grants get back what they paid, because a void invoice uses none.
        balance = received(session, member, invoice) + total(
            (use.amount for use in issued.draft.balances), invoice.currency
        )

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
        net=wanted,
        tax=tax,
        total=wanted + tax,
    )
    kept = CreditNote(
        tenant_id=tenant_id,
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
    if is_void:
        invoice.state = InvoiceState.void
    elif invoice.state is InvoiceState.open and owed <= note.total:
        invoice.state = InvoiceState.paid
    session.add_all([kept, invoice])
    session.flush()
    audit.record(
        session,
        staff,
        "credit_note.issued",
        kept.id,
        tenant_id=tenant_id,
        number=number,
        invoice=invoice.number,
    )
    return kept


def _groups(billed: tuple[TaxGroup, ...], before: list[Note], net: Money) -> tuple[TaxGroup, ...]:
    """A net amount divided over the groups by what is left of each, and its tax: after minus before."""
    zero = Money.zero(net.currency)
    credited = [
        total(
            (back.net for note in before for back in note.tax_groups if _of_one_rate(back, group)),
            net.currency,
        )
        for group in billed
    ]
    left = [max(group.net - back, zero) for group, back in zip(billed, credited, strict=True)]
    shares = allocate(net, [amount.micros for amount in left])
    return tuple(
        TaxGroup(
            category=group.category,
            percent=group.percent,
            note=group.note,
            codes=group.codes,
            gross=share,
            allowance=zero,
            net=share,
            tax=_tax_of(group, back + share) - _tax_of(group, back),
        )
        for group, back, share in zip(billed, credited, shares, strict=True)
        if share.micros
    )


def _of_one_rate(one: TaxGroup, other: TaxGroup) -> bool:
    return (one.category, one.percent) == (other.category, other.percent)


def _tax_of(group: TaxGroup, net: Money) -> Money:
    return prorated(group.tax, Fraction(net.micros, group.net.micros)) if group.net.micros else group.tax
