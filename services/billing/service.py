"""What a caller may ask about money, all from here: quotes, charges, trials, spend, invoices, closing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col

from services.accounts.scope import Member, Role, owned
from services.billing.budgets import free_to_spend as free_to_spend
from services.billing.budgets import require_funds as require_funds
from services.billing.calendars import this_month
from services.billing.closing import close_month as close_month
from services.billing.credits import credit_left as credit_left
from services.billing.credits import end_trial as end_trial
from services.billing.credits import grant_trial as grant_trial
from services.billing.credits import on_trial as on_trial
from services.billing.drafting import draft_month, invoice_of, known_until, rated
from services.billing.errors import MonthIsClosed
from services.billing.heading import snapshot_of
from services.billing.invoicing import Charge
from services.billing.money import Money
from services.billing.period import Month, UnknownMonth
from services.billing.quoting import Quote as Quote
from services.billing.quoting import generation_charge as generation_charge
from services.billing.quoting import predictions_charge as predictions_charge
from services.billing.quoting import quote as quote
from services.billing.quoting import training_charge as training_charge
from services.billing.snapshot import Snapshot
from services.billing.subscriptions import current_plan as current_plan
from services.billing.tables import Invoice
from services.errors import NotFound
from services.metering import service as metering
from services.metering.service import EventPage


@dataclass(frozen=True, slots=True)
class DaySpend:
    """What one price came to on a day."""

    day: date
    title: str
    amount: Money


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


def month_charges(session: Session, member: Member, *, month: Month) -> Sequence[Charge]:
    """What a month so far is charged beside its use: fees, instalments, what makes use up to a commitment."""
    return rated(session, member, month, ()).charges


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


def _shown(session: Session, member: Member, reference: str) -> tuple[Snapshot, int | None]:
    """The statement, and the serial of the last event that it knows, once its figures are fixed."""
    member.require(Role.billing)
    try:
        month = Month.parse(reference)
    except UnknownMonth:
        issued: Invoice | None = invoice(session, member, number_or_id=reference)
    else:
        issued = invoice_of(session, member, month)
    if issued is None:
        return draft_invoice(session, member, month=month), None
    return Snapshot.from_json(issued.snapshot), known_until(session, member, issued)


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
    shown, until = _shown(session, member, reference)
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
        until=until,
        limit=limit,
        after=after,
    )
