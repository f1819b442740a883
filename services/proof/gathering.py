"""What an invoice's charges follow from, read from where it is kept."""

from collections import defaultdict
from collections.abc import Iterator

from sqlmodel import Session, col, select

from services.accounts.scope import Member, owned
from services.accounts.service import get_tenant
from services.accounts.tables import AuditEntry
from services.billing import catalogue, contracts, plans, redeeming
from services.billing.drafting import figures_of, invoice_of, uses_of
from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.invoicing import Charge, ChargeKind, Draft
from services.billing.period import Month
from services.billing.snapshot import Snapshot
from services.billing.subscriptions import stays
from services.billing.tables import Contract, CreditGrant, CreditNote, Invoice, InvoiceState
from services.proof.terms import Been, Given, Signed, Terms


def terms(session: Session, member: Member, invoice: Invoice) -> Terms:
    """The plans, the contract and the earlier invoices of a finalised invoice."""
    issued = Snapshot.from_json(invoice.snapshot)
    been = stays(session, member)
    names = sorted({stay.plan for stay in been}) or [PAY_AS_YOU_GO.name]
    month = Month.at(issued.first_day)
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
        used_before=_used_before(session, member, invoice, contract, month),
        coupons={row.code: row.terms for row in redeeming.codes_in(session, member, month)},
        grants=_grants(session, member, invoice, month),
    )


def _used_before(
    session: Session, member: Member, invoice: Invoice, contract: Contract | None, month: Month
) -> tuple[Snapshot, ...] | None:
    """The invoices that count to a commitment for a whole term; None where one was not made yet.

    None, too, where the contract was ended since, with a part of its commitment.
    """
    promised = contracts.terms_of(contract) if contract else None
    if contract is None or promised is None or promised.commitment is None or promised.every_month:
        return ()
    if _has_ended_since(session, invoice, "contract.ended", [contract.id]):
        return None
    found = []
    for _, closed in _months(session, member, invoice, Month.at(contract.starts_on), month):
        if closed is None:
            return None
        found += [Snapshot.from_json(row.snapshot) for row in closed]
    return tuple(found)


def _grants(session: Session, member: Member, invoice: Invoice, month: Month) -> tuple[Given, ...] | None:
    """The credit that there was when an invoice was made; None where a month before was not invoiced yet.

    None, too, where some was ended since: it was spent in the order in which it was to expire.
    """
    made = owned(CreditGrant, member).where(CreditGrant.created_at <= invoice.finalised_at)
    rows = session.exec(made.order_by(col(CreditGrant.created_at))).all()
    if not rows:
        return ()
    if _has_ended_since(session, invoice, "credit.ended", [row.id for row in rows]):
        return None
    first = Month.of(rows[0].created_at, get_tenant(session, member).time_zone)
    if any(closed is None for _, closed in _months(session, member, invoice, first, month)):
        return None
    used: dict[str, dict[str, int]] = defaultdict(dict)
    before = owned(Invoice, member).where(col(Invoice.finalised_at) < invoice.finalised_at)
    for row in session.exec(before.order_by(col(Invoice.finalised_at))):
        if row.state is InvoiceState.void and _was_void(session, member, row, invoice):
            continue
        for use in figures_of(row).credits:
            used[use.grant_id][row.number] = use.amount.micros
    fields = set(Given.model_fields) - {"used"}
    return tuple(Given(**row.model_dump(include=fields), used=used[row.id]) for row in rows)


def _has_ended_since(session: Session, invoice: Invoice, action: str, subjects: list[str]) -> bool:
    ended = select(AuditEntry.id).where(
        AuditEntry.tenant_id == invoice.tenant_id,
        AuditEntry.action == action,
        col(AuditEntry.subject).in_(subjects),
        AuditEntry.at > invoice.finalised_at,
    )
    return session.exec(ended.limit(1)).first() is not None


def _months(
    session: Session, member: Member, invoice: Invoice, first: Month, until: Month
) -> Iterator[tuple[Month, list[Invoice] | None]]:
    """The months before an invoice's with the invoice that each had by then, if it had use; None: not yet."""
    while first < until:
        closed = invoice_of(session, member, first)
        if closed is not None and closed.finalised_at < invoice.finalised_at:
            yield first, [closed]
        elif closed is not None or uses_of(session, member, first):
            yield first, None
        else:
            yield first, []
        first = first.next


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
