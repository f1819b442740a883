"""What an invoice's charges follow from, read from where it is kept."""

from collections.abc import Iterator

from sqlmodel import Session, col

from services.accounts.scope import Member, owned
from services.billing import catalogue, contracts, plans
from services.billing.drafting import figures_of
from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.invoicing import Charge, ChargeKind, Draft
from services.billing.period import Month
from services.billing.snapshot import Snapshot
from services.billing.subscriptions import stays
from services.billing.tables import CreditNote, Invoice, InvoiceState
from services.proof.terms import Been, Signed, Terms


def terms(session: Session, member: Member, invoice: Invoice) -> Terms:
    """The plans, the contract and the earlier invoices of a finalised invoice."""
    issued = Snapshot.from_json(invoice.snapshot)
    been = stays(session, member)
    names = sorted({stay.plan for stay in been}) or [PAY_AS_YOU_GO.name]
    month = Month(issued.first_day.year, issued.first_day.month)
    contract = contracts.contract_in(session, member, month)
    earlier = _earlier(session, member, issued.draft)
    return Terms(
        been=tuple(
            Been(plan=stay.plan, starts_at=stay.starts_at, ends_at=stay.ends_at, trial=stay.trial)
            for stay in been
        ),
        plans={
            name: [plans.to_json(version) for version in catalogue.versions(session, name)] for name in names
        },
        contract=Signed(**contract.model_dump(include=set(Signed.model_fields))) if contract else None,
        earlier=tuple(Snapshot.from_json(row.snapshot) for row in earlier),
        made_before=tuple(_made_before(session, member, invoice, [row.number for row in earlier])),
    )


def _earlier(session: Session, member: Member, figures: Draft) -> list[Invoice]:
    """The invoices that some figures correct, or carry on from."""
    numbers = {charge.corrects for charge in figures.charges if charge.kind is ChargeKind.correction}
    # What is carried over from an invoice names it at the end of its key.
    numbers |= {
        charge.key.rpartition(":")[2] for charge in figures.charges if charge.kind is ChargeKind.carried_over
    }
    named = owned(Invoice, member).where(col(Invoice.number).in_(numbers))
    return list(session.exec(named.order_by(col(Invoice.period_start)))) if numbers else []


def _made_before(session: Session, member: Member, invoice: Invoice, numbers: list[str]) -> Iterator[Charge]:
    """The corrections of some invoices that had been made when this one was finalised."""
    if not numbers:
        return
    before = owned(Invoice, member).where(col(Invoice.finalised_at) < invoice.finalised_at)
    for row in session.exec(before.order_by(col(Invoice.finalised_at))):
        if row.state is InvoiceState.void and _was_void(session, member, row, invoice):
            continue
        for charge in figures_of(row).charges:
            if charge.kind is ChargeKind.correction and charge.corrects in numbers:
                yield charge


def _was_void(session: Session, member: Member, row: Invoice, invoice: Invoice) -> bool:
    notes = owned(CreditNote, member).where(
        CreditNote.invoice_id == row.id, col(CreditNote.issued_at) > invoice.finalised_at
    )
    return session.exec(notes.limit(1)).first() is None
