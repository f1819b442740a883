"""What a customer may ask about money: quotes before, spend so far, invoices and what each line counts."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlmodel import Session, col

from services.accounts.scope import Member, Role, owned
from services.billing import document
from services.billing.drafting import (
    current_plan,
    draft_month,
    invoice_of,
    rated,
    snapshot_of,
    this_month,
)
from services.billing.errors import MonthIsClosed
from services.billing.money import Money, rounded
from services.billing.period import Month, UnknownMonth
from services.billing.pricing import rate
from services.billing.snapshot import Snapshot
from services.billing.tables import Invoice
from services.errors import NotFound
from services.metering import service as metering
from services.metering.meters import PREDICTIONS, TRAINING_SECONDS
from services.metering.service import EventPage


@dataclass(frozen=True, slots=True)
class Quote:
    """What a job will take and cost, between two figures; beyond the high one nothing is billed."""

    seconds_low: int
    seconds_high: int
    low: Money
    high: Money


@dataclass(frozen=True, slots=True)
class DaySpend:
    """What one price came to on a day."""

    day: date
    title: str
    amount: Money


def quote(
    session: Session, member: Member, *, seconds_low: int, seconds_high: int, device_class: str
) -> Quote:
    """The price range of training between so many device-seconds, at today's prices."""
    low, high = (
        training_charge(session, member, seconds=Decimal(seconds), device_class=device_class)
        for seconds in (seconds_low, seconds_high)
    )
    return Quote(seconds_low, seconds_high, low, high)


def training_charge(session: Session, member: Member, *, seconds: Decimal, device_class: str) -> Money:
    """What so many device-seconds of one job cost at today's prices, as its invoice line will say."""
    return _charge(session, member, TRAINING_SECONDS.name, {"device_class": device_class}, seconds)


def predictions_charge(session: Session, member: Member, *, texts: int) -> Money:
    """What so many predictions of one day and model cost at today's prices."""
    return _charge(session, member, PREDICTIONS.name, {}, Decimal(texts))


def _charge(
    session: Session, member: Member, meter: str, properties: dict[str, str], quantity: Decimal
) -> Money:
    plan = current_plan(session, member)
    sold = plan.price_of(meter, properties)
    amount = rate(sold.price, quantity) if sold else Decimal(0)
    return rounded(amount, plan.currency)


def training_charge_seconds(actual: Decimal, quoted_max: Decimal) -> Decimal:
    """The device-seconds of a finished job that are billed: never more than were quoted.

    `actual` is the time of the attempt that finished; queueing, attempts that were repeated, failures of ours
    and jobs cancelled before their start are nothing, and are not recorded at all.
    """
    return min(actual, quoted_max)


def month_spend(session: Session, member: Member, *, month: Month | None = None) -> Money:
    """What a month's use comes to so far (default: this month's), before credit and tax."""
    return rated(session, member, month or this_month(session, member), ()).subtotal


def spend_by_day(session: Session, member: Member, *, month: Month | None = None) -> list[DaySpend]:
    """A month's spend by day and price, oldest first; together exactly `month_spend`."""
    draft = rated(session, member, month or this_month(session, member), ())
    sums: dict[tuple[date, str], Money] = {}
    for line in draft.lines:
        place = line.first_day, line.title
        sums[place] = sums.get(place, Money.zero(draft.currency)) + line.amount
    return [DaySpend(day, title, amount) for (day, title), amount in sorted(sums.items(), key=lambda i: i[0])]


def draft_invoice(session: Session, member: Member, *, month: Month) -> Snapshot:
    """What a month's invoice would say if it were closed now.

    Raises:
        MonthIsClosed: it has an invoice already.
    """
    member.require(Role.billing)
    if invoice := invoice_of(session, member, month):
        raise MonthIsClosed(month, invoice.number)
    return snapshot_of(session, member, month, draft_month(session, member, month))


def invoices(session: Session, member: Member) -> list[Invoice]:
    """The finalised invoices, newest first."""
    member.require(Role.billing)
    return list(session.exec(owned(Invoice, member).order_by(col(Invoice.period_start).desc())))


def invoice(session: Session, member: Member, *, number_or_id: str) -> Invoice:
    """One finalised invoice.

    Raises:
        NotFound: there is none under this number or id in this workspace.
    """
    member.require(Role.billing)
    found = session.exec(
        owned(Invoice, member).where(
            (col(Invoice.number) == number_or_id) | (col(Invoice.id) == number_or_id)
        )
    ).one_or_none()
    if found is None:
        raise NotFound("invoice")
    return found


def statement(session: Session, member: Member, *, reference: str) -> Snapshot:
    """What a page or document shows: an invoice by number or id, or a month (2026-11), closed or not.

    Raises:
        NotFound: the reference is neither a month nor an invoice of this workspace.
    """
    shown, _ = _shown(session, member, reference)
    return shown


def _shown(session: Session, member: Member, reference: str) -> tuple[Snapshot, datetime | None]:
    """The statement, and the instant at which its figures were fixed."""
    member.require(Role.billing)
    try:
        month = Month.parse(reference)
    except UnknownMonth:
        issued: Invoice | None = invoice(session, member, number_or_id=reference)
    else:
        issued = invoice_of(session, member, month)
    if issued is None:
        return draft_invoice(session, member, month=month), None
    return Snapshot.from_json(issued.snapshot), issued.finalised_at


def line_events(
    session: Session,
    member: Member,
    *,
    reference: str,
    line_key: str,
    limit: int = 100,
    after: str | None = None,
) -> EventPage:
    """The usage events that a line counts, newest first; `reference` as in `statement`.

    Raises:
        NotFound: no such invoice, or no such line on it.
    """
    shown, fixed_at = _shown(session, member, reference)
    line = next((line for line in shown.draft.lines if line.key == line_key), None)
    if line is None:
        raise NotFound("line")
    return metering.events(
        session,
        member,
        first=line.first_day,
        last=line.last_day,
        meter=line.meter,
        subject=line.subject,
        properties=line.properties,
        recorded_until=fixed_at,
        limit=limit,
        after=after,
    )


def invoice_pdf(session: Session, member: Member, *, reference: str) -> bytes:
    """The document of what `statement` answers to the same reference."""
    return document.pdf(statement(session, member, reference=reference))
