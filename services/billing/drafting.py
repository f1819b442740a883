"""A month of one tenant, rated: ledger, plans, charges, discounts, grants and tax brought together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TypedDict

from sqlmodel import Session, col

from services.accounts.scope import Member, owned
from services.billing import contracts, profiles
from services.billing.books import Books
from services.billing.corrections import corrections
from services.billing.coupons import Coupon
from services.billing.invoicing import Charge, ChargeKind, Draft
from services.billing.money import Money
from services.billing.names import names
from services.billing.period import Month
from services.billing.plans import Plan
from services.billing.rating import Balance, Committed, draft
from services.billing.redeeming import coupons_of
from services.billing.snapshot import Snapshot
from services.billing.spending import Credit
from services.billing.tables import Contract, CreditGrant, CreditNote, Invoice, InvoiceState
from services.billing.taxation import Taxes
from services.billing.timeline import fees
from services.ledger.sealing import end_of
from services.metering import service as metering
from services.metering.days import day_of
from services.metering.tables import UsageEvent
from services.metering.usage import Use

_INSTANT = timedelta(microseconds=1)
# Events may be told for so many months back (metering takes none older than 35 days).
_LATE_MONTHS = 2


def uses_of(session: Session, member: Member, month: Month) -> list[Use]:
    """All use of a month, as it is known now."""
    return metering.uses(session, member, first=month.first, last=month.last)


class Basis(TypedDict):
    """What a month's figures follow from beside its use; the same use on the same basis is the same draft."""

    versions: Sequence[Plan]
    taxes: Taxes
    period: tuple[date, date]
    charges: list[Charge]
    committed: Committed | None
    coupons: Sequence[Coupon]
    grants: Sequence[Credit]
    balances: list[Balance]
    names: Mapping[str, str] | None


def draft_month(
    session: Session,
    member: Member,
    month: Month,
    *,
    uses: Sequence[Use] | None = None,
    books: Books | None = None,
) -> Draft:
    """What a month comes to as of now, or with the `uses` given: they, and what else its invoice says."""
    books = books or Books(session, member)
    uses = uses_of(session, member, month) if uses is None else uses
    return draft(uses, **basis_of(session, member, month, uses=uses, books=books))


def basis_of(
    session: Session, member: Member, month: Month, *, uses: Sequence[Use], books: Books | None = None
) -> Basis:
    """What the invoice of a month with these uses follows from."""
    books = books or Books(session, member)
    grants = credits_before(session, member, month, books=books)
    called = names(session, member, {use.subject for use in uses})
    return _basis(session, member, month, grants, names=called, complete=True, books=books)


def rated(
    session: Session,
    member: Member,
    month: Month,
    grants: Sequence[Credit],
    *,
    uses: Sequence[Use] | None = None,
    complete: bool = False,
    books: Books | None = None,
) -> Draft:
    """A month's figures; `grants` as `credits_before` found them.

    Only where they are `complete` do they hold what other invoices leave for this one: corrections, balances.
    """
    books = books or Books(session, member)
    uses = uses_of(session, member, month) if uses is None else uses
    return draft(uses, **_basis(session, member, month, grants, names=None, complete=complete, books=books))


def _basis(
    session: Session,
    member: Member,
    month: Month,
    grants: Sequence[Credit],
    *,
    names: Mapping[str, str] | None,
    complete: bool,
    books: Books,
) -> Basis:
    contract = books.contract_in(month)
    charges = fees([stay for stay in books.been if not stay.trial], books.sold, month, books.zone)
    charges += contracts.instalment(contract, month) if contract else []
    balances = []
    if complete:
        charges += [*_carried_over(books, month), *_late(session, member, books, month)]
        balances = _balances(session, member)
    return Basis(
        versions=books.versions,
        taxes=books.taxes,
        period=(month.first, month.last),
        charges=charges,
        committed=_committed(session, member, books, contract, month) if contract else None,
        coupons=coupons_of(session, member, month),
        grants=grants,
        balances=balances,
        names=names,
    )


def _committed(
    session: Session, member: Member, books: Books, contract: Contract, month: Month
) -> Committed | None:
    terms, currency = contracts.terms_of(contract), books.versions[-1].currency
    if terms.commitment is None:
        return None
    if terms.every_month:
        return Committed(terms.commitment, before=Money.zero(currency), ends=True)
    used, earlier = Money.zero(currency), Month.at(contract.starts_on)
    while earlier < month:
        used += _figures(session, member, books, earlier).of_use
        earlier = earlier.next
    return Committed(terms.commitment, before=used, ends=month.last == contract.ends_on)


def _figures(session: Session, member: Member, books: Books, month: Month) -> Draft:
    """A month's use: what its invoice says, or what it comes to now."""
    closed = books.invoice_of(month)
    if closed is not None:
        return books.says(closed).draft
    return draft(
        uses_of(session, member, month),
        versions=books.versions,
        taxes=books.taxes,
        period=(month.first, month.last),
    )


def _carried_over(books: Books, month: Month) -> list[Charge]:
    """What the invoice before would have been below zero by."""
    start = month.start(books.zone)
    before = [
        one for one in books.invoices if one.period_start < start and one.state is not InvoiceState.void
    ]
    if not before:
        return []
    return [
        charge.model_copy(
            update={
                "key": f"{charge.key}:{before[-1].number}",
                "title": f"Carried over from {before[-1].number}",
                "amount": -charge.amount,
                "first_day": month.first,
                "last_day": month.last,
            }
        )
        for charge in books.says(before[-1]).draft.charges
        if charge.kind is ChargeKind.carried_over and charge.amount.micros > 0
    ]


def _late(session: Session, member: Member, books: Books, month: Month) -> list[Charge]:
    """Corrections of the months before, where use was told after their invoices."""
    found: list[Charge] = []
    earlier = month
    for _ in range(_LATE_MONTHS):
        earlier = earlier.previous
        closed = books.invoice_of(earlier)
        if closed is None or closed.state is InvoiceState.void:
            continue
        billed = books.says(closed)
        if not _has_late(session, member, closed, billed):
            continue
        made = [
            charge
            for since in books.invoices
            if since.finalised_at > closed.finalised_at and since.state is not InvoiceState.void
            for charge in books.says(since).draft.charges
        ]
        now = draft(
            uses_of(session, member, earlier),
            versions=books.versions,
            taxes=profiles.own_taxes(),
            period=(earlier.first, earlier.last),
        )
        found += corrections(closed.number, earlier, billed=billed.draft, now=now, made_before=made)
    return found


def _has_late(session: Session, member: Member, closed: Invoice, billed: Snapshot) -> bool:
    late = owned(UsageEvent, member).where(
        col(UsageEvent.at) >= closed.period_start,
        col(UsageEvent.at) < closed.period_end,
        col(UsageEvent.serial) > end_of(session, member, billed.ledger),
    )
    return session.exec(late.limit(1)).first() is not None


def known_until(session: Session, member: Member, invoice: Invoice) -> int:
    """The serial of the last event that an invoice could know; no clock tells that as surely."""
    return end_of(session, member, Snapshot.from_json(invoice.snapshot).ledger)


def _balances(session: Session, member: Member) -> list[Balance]:
    """Credit notes that still have something left for later invoices."""
    notes = session.exec(owned(CreditNote, member).where(CreditNote.left > 0))
    return [Balance(note.number, Money(note.left, note.currency)) for note in notes]


def credits_before(
    session: Session, member: Member, month: Month, *, books: Books | None = None
) -> list[Credit]:
    """The grants that can pay in a month, with what the months before leave of them, invoiced or not."""
    books = books or Books(session, member)
    rows = session.exec(owned(CreditGrant, member).order_by(col(CreditGrant.created_at))).all()
    grants = [as_credit(row, books.zone) for row in rows]
    if not any(_lasts_into(grant, month) for grant in grants):
        return []

    # What an invoice has used is used, also when its month was closed before this one.
    end = month.end(books.zone)
    for later in books.invoices:
        if later.period_start >= end and later.state is not InvoiceState.void:
            grants = _less(grants, books.says(later).draft)
    earlier = Month.of(rows[0].created_at, books.zone)
    while earlier < month:
        closed = books.invoice_of(earlier)
        # What was taken back gives its credit back, too.
        if closed is None:
            grants = _less(grants, rated(session, member, earlier, grants, books=books))
        elif closed.state is not InvoiceState.void:
            grants = _less(grants, books.says(closed).draft)
        earlier = earlier.next
    return [grant for grant in grants if _lasts_into(grant, month)]


def _less(grants: Iterable[Credit], figures: Draft) -> list[Credit]:
    used = {use.grant_id: use.amount for use in figures.credits}
    return [
        replace(grant, left=grant.left - used[grant.grant_id]) if grant.grant_id in used else grant
        for grant in grants
    ]


def figures_of(invoice: Invoice) -> Draft:
    """What a finalised invoice says."""
    return Snapshot.from_json(invoice.snapshot).draft


def invoice_of(session: Session, member: Member, month: Month) -> Invoice | None:
    """The invoice of a month, once it is closed."""
    # Its middle lies in the period also when the workspace has moved to another time zone since.
    return session.exec(
        owned(Invoice, member).where(
            col(Invoice.period_start) <= month.middle, col(Invoice.period_end) > month.middle
        )
    ).one_or_none()


def _lasts_into(grant: Credit, month: Month) -> bool:
    return grant.last_day is None or grant.last_day > month.first


def as_credit(row: CreditGrant, zone: str) -> Credit:
    """A grant as a value, with nothing used of it, in days of a zone."""
    # A day on which the grant is valid for a while is a day on which it pays.
    last_day = None if row.expires_at is None else day_of(row.expires_at - _INSTANT, zone) + timedelta(days=1)
    return Credit(
        grant_id=row.id,
        reason=row.reason,
        left=Money(row.amount, row.currency),
        first_day=day_of(row.created_at, zone),
        last_day=last_day,
        priority=row.priority,
        prepaid=row.prepaid,
    )
