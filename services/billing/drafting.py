"""A month of one tenant, rated: ledger, plans, charges, discounts, grants and tax brought together."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, col

from services import clock
from services.accounts.scope import Member, owned
from services.accounts.service import get_tenant
from services.billing import catalogue, contracts, profiles
from services.billing.corrections import corrections
from services.billing.invoicing import Charge, ChargeKind, Draft
from services.billing.money import Money, total
from services.billing.names import names
from services.billing.period import Month
from services.billing.rating import Balance, Committed, draft
from services.billing.redeeming import coupons_of
from services.billing.snapshot import Language, Party, Snapshot
from services.billing.spending import Credit
from services.billing.subscriptions import current_plan, plan_versions, stays
from services.billing.tables import CreditGrant, CreditNote, Invoice, InvoiceState
from services.billing.timeline import fees
from services.config import settings
from services.ledger.block import Head
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


def draft_month(
    session: Session, member: Member, month: Month, *, uses: Sequence[Use] | None = None
) -> Draft:
    """What a month comes to as of now, or with the `uses` given: they, and what else its invoice says."""
    grants = credits_before(session, member, month)
    figures = rated(session, member, month, grants, uses=uses, complete=True)
    return figures.named(names(session, member, {line.subject for line in figures.lines}))


def rated(
    session: Session,
    member: Member,
    month: Month,
    grants: Sequence[Credit],
    *,
    uses: Sequence[Use] | None = None,
    complete: bool = False,
) -> Draft:
    """A month's figures, in lines that go by ids; `grants` as `credits_before` found them.

    Only where they are `complete` do they hold what other invoices leave for this one: corrections, balances.
    """
    charges, balances = _fixed(session, member, month), []
    if complete:
        charges += [*_carried_over(session, member, month), *_late(session, member, month)]
        balances = _balances(session, member)
    return draft(
        uses_of(session, member, month) if uses is None else uses,
        versions=plan_versions(session, member),
        taxes=profiles.taxes(session, member),
        period=(month.first, month.last),
        charges=charges,
        committed=_committed(session, member, month),
        coupons=coupons_of(session, member, month),
        grants=grants,
        balances=balances,
    )


def _fixed(session: Session, member: Member, month: Month) -> list[Charge]:
    """Fees of plans, and the instalment of a contract."""
    been = [stay for stay in stays(session, member) if not stay.trial]
    sold = {name: catalogue.versions(session, name) for name in {stay.plan for stay in been}}
    charges = fees(been, sold, month, get_tenant(session, member).time_zone)
    contract = contracts.contract_in(session, member, month)
    return charges + (contracts.instalment(contract, month) if contract else [])


def _committed(session: Session, member: Member, month: Month) -> Committed | None:
    contract = contracts.contract_in(session, member, month)
    terms = contracts.terms_of(contract) if contract else None
    if contract is None or terms is None or terms.commitment is None:
        return None
    currency = current_plan(session, member).currency
    if terms.every_month:
        return Committed(terms.commitment, before=Money.zero(currency), ends=True)
    used, earlier = Money.zero(currency), Month(contract.starts_on.year, contract.starts_on.month)
    while earlier < month:
        used += total(_of_use(_figures(session, member, earlier)), currency)
        earlier = earlier.next
    return Committed(terms.commitment, before=used, ends=month.last == contract.ends_on)


def _of_use(figures: Draft) -> Iterator[Money]:
    of_prices = (ChargeKind.base, ChargeKind.minimum, ChargeKind.maximum)
    yield from (line.amount for line in figures.lines)
    yield from (charge.amount for charge in figures.charges if charge.kind in of_prices)


def _figures(session: Session, member: Member, month: Month) -> Draft:
    """A month's use: what its invoice says, or what it comes to now."""
    closed = invoice_of(session, member, month)
    if closed is not None:
        return figures_of(closed)
    return draft(
        uses_of(session, member, month),
        versions=plan_versions(session, member),
        taxes=profiles.taxes(session, member),
        period=(month.first, month.last),
    )


def _carried_over(session: Session, member: Member, month: Month) -> list[Charge]:
    """What the invoice before would have been below zero by."""
    start = month.start(get_tenant(session, member).time_zone)
    before = owned(Invoice, member).where(
        col(Invoice.period_start) < start, Invoice.state != InvoiceState.void
    )
    last = session.exec(before.order_by(col(Invoice.period_start).desc()).limit(1)).one_or_none()
    if last is None:
        return []
    return [
        charge.model_copy(
            update={
                "key": f"{charge.key}:{last.number}",
                "title": f"Carried over from {last.number}",
                "amount": -charge.amount,
                "first_day": month.first,
                "last_day": month.last,
            }
        )
        for charge in figures_of(last).charges
        if charge.kind is ChargeKind.carried_over and charge.amount.micros > 0
    ]


def _late(session: Session, member: Member, month: Month) -> list[Charge]:
    """Corrections of the months before, where use was told after their invoices."""
    found: list[Charge] = []
    earlier = month
    for _ in range(_LATE_MONTHS):
        earlier = earlier.previous
        closed = invoice_of(session, member, earlier)
        if closed is None or closed.state is InvoiceState.void or not _has_late(session, member, closed):
            continue
        since = owned(Invoice, member).where(
            col(Invoice.finalised_at) > closed.finalised_at, Invoice.state != InvoiceState.void
        )
        made = [charge for invoice in session.exec(since) for charge in figures_of(invoice).charges]
        now = draft(
            uses_of(session, member, earlier),
            versions=plan_versions(session, member),
            taxes=profiles.own_taxes(),
            period=(earlier.first, earlier.last),
        )
        found += corrections(closed.number, earlier, billed=figures_of(closed), now=now, made_before=made)
    return found


def _has_late(session: Session, member: Member, closed: Invoice) -> bool:
    late = owned(UsageEvent, member).where(
        col(UsageEvent.at) >= closed.period_start,
        col(UsageEvent.at) < closed.period_end,
        col(UsageEvent.serial) > known_until(session, member, closed),
    )
    return session.exec(late.limit(1)).first() is not None


def known_until(session: Session, member: Member, invoice: Invoice) -> int:
    """The serial of the last event that an invoice could know; no clock tells that as surely."""
    return end_of(session, member, Snapshot.from_json(invoice.snapshot).ledger)


def _balances(session: Session, member: Member) -> list[Balance]:
    """Credit notes that still have something left for later invoices."""
    notes = session.exec(owned(CreditNote, member).where(CreditNote.left > 0))
    return [Balance(note.number, Money(note.left, note.currency)) for note in notes]


def credits_before(session: Session, member: Member, month: Month) -> list[Credit]:
    """The grants that can pay in a month, with what the months before leave of them, invoiced or not."""
    zone = get_tenant(session, member).time_zone
    rows = session.exec(owned(CreditGrant, member).order_by(col(CreditGrant.created_at))).all()
    grants = [as_credit(row, zone) for row in rows]
    if not any(_lasts_into(grant, month) for grant in grants):
        return []

    # What an invoice has used is used, also when its month was closed before this one.
    later = owned(Invoice, member).where(
        col(Invoice.period_start) >= month.end(zone), Invoice.state != InvoiceState.void
    )
    for invoice in session.exec(later):
        grants = _less(grants, figures_of(invoice))
    earlier = Month.of(rows[0].created_at, zone)
    while earlier < month:
        closed = invoice_of(session, member, earlier)
        # What was taken back gives its credit back, too.
        if closed is None:
            grants = _less(grants, rated(session, member, earlier, grants))
        elif closed.state is not InvoiceState.void:
            grants = _less(grants, figures_of(closed))
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
    middle = datetime(month.year, month.month, 15, tzinfo=UTC)
    return session.exec(
        owned(Invoice, member).where(col(Invoice.period_start) <= middle, col(Invoice.period_end) > middle)
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


def snapshot_of(
    session: Session,
    member: Member,
    month: Month,
    figures: Draft,
    *,
    number: str | None = None,
    ledger: Head | None = None,
) -> Snapshot:
    """A draft with seller, customer and dates as they are today; without a number it stays a draft.

    What is finalised says to the record what it stands on; a draft's use is sealed a minute later.
    """
    tenant, profile = get_tenant(session, member), profiles.profile(session, member)
    issued_on = day_of(clock.now(), tenant.time_zone)
    return Snapshot(
        number=number,
        issued_on=issued_on,
        due_on=issued_on + timedelta(days=profile.payment_days) if number else None,
        first_day=month.first,
        last_day=month.last,
        time_zone=tenant.time_zone,
        seller=seller(),
        payment=settings().seller_payment,
        customer=profiles.buyer(session, member),
        workspace=tenant.name,
        plan_title=current_plan(session, member).title,
        ledger=ledger,
        language=Language(profile.language),
        payment_days=profile.payment_days,
        reference=profile.reference,
        draft=figures,
    )


def seller() -> Party:
    """The operator of this installation as the party that an invoice comes from."""
    lines = (line.strip() for line in re.split(r"[\n;]", settings().seller_address))
    return Party(
        name=settings().seller_name,
        address=tuple(line for line in lines if line),
        tax_id=settings().seller_tax_id,
        country=settings().seller_country,
        city=settings().seller_city,
        postcode=settings().seller_postcode,
        email=settings().seller_email,
    )
