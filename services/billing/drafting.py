"""A month of one tenant, rated: the ledger, the plan, the grants and the tax brought together."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlmodel import Session, col, or_

from services import clock
from services.accounts.scope import Member, owned
from services.accounts.service import get_tenant
from services.billing.invoicing import Draft
from services.billing.money import Money
from services.billing.names import names
from services.billing.period import Month
from services.billing.plans import CATALOGUE, PAY_AS_YOU_GO, Plan, in_force
from services.billing.rating import draft
from services.billing.snapshot import Party, Snapshot
from services.billing.spending import Credit
from services.billing.tables import CreditGrant, Invoice, Subscription
from services.billing.taxation import Tax, TaxCategory, TaxCode, Taxes
from services.config import settings
from services.ledger.sealing import seal_all
from services.metering import service as metering
from services.metering.days import day_of

DAYS_TO_PAY = 14

_INSTANT = timedelta(microseconds=1)


def subscription(session: Session, member: Member) -> Subscription | None:
    """What the tenant is subscribed to at present."""
    now = clock.now()
    current = owned(Subscription, member).where(
        col(Subscription.starts_at) <= now,
        or_(col(Subscription.ends_at).is_(None), col(Subscription.ends_at) > now),
    )
    return session.exec(current.order_by(col(Subscription.starts_at).desc()).limit(1)).one_or_none()


def plan_versions(session: Session, member: Member) -> tuple[Plan, ...]:
    """The versions of the tenant's plan, oldest first."""
    current = subscription(session, member)
    return CATALOGUE[current.plan if current else PAY_AS_YOU_GO.name]


def current_plan(session: Session, member: Member) -> Plan:
    """The version of the tenant's plan that rates today's use."""
    return in_force(plan_versions(session, member), today(session, member))


def today(session: Session, member: Member) -> date:
    """The present day of the tenant's calendar."""
    return day_of(clock.now(), get_tenant(session, member).time_zone)


def this_month(session: Session, member: Member) -> Month:
    """The present month of the tenant's calendar."""
    return Month.of(clock.now(), get_tenant(session, member).time_zone)


def own_taxes() -> Taxes:
    """The rates that the operator has set, and the reason to print where one is zero."""
    rates = {
        TaxCode.standard: settings().tax_rate_percent,
        TaxCode.reduced: settings().tax_reduced_percent,
        TaxCode.zero: Decimal(0),
    }
    note = settings().tax_note
    return {
        code: Tax(percent, note)
        if percent
        else Tax(percent, note or "No VAT is charged.", TaxCategory.exempt)
        for code, percent in rates.items()
    }


def draft_month(session: Session, member: Member, month: Month) -> Draft:
    """What a month's use comes to as of now."""
    figures = rated(session, member, month, credits_before(session, member, month))
    return figures.named(names(session, member, {line.subject for line in figures.lines}))


def rated(session: Session, member: Member, month: Month, grants: Sequence[Credit]) -> Draft:
    """A month's figures, in lines that go by ids; `grants` as `credits_before` found them."""
    uses = metering.uses(session, member, first=month.first, last=month.last)
    return draft(
        uses,
        versions=plan_versions(session, member),
        taxes=own_taxes(),
        period=(month.first, month.last),
        grants=grants,
    )


def credits_before(session: Session, member: Member, month: Month) -> list[Credit]:
    """The grants that can pay in a month, with what the months before leave of them, invoiced or not."""
    zone = get_tenant(session, member).time_zone
    rows = session.exec(owned(CreditGrant, member).order_by(col(CreditGrant.created_at))).all()
    grants = [_credit(row, zone) for row in rows]
    if not any(_lasts_into(grant, month) for grant in grants):
        return []

    # What an invoice has used is used, also when its month was closed before this one.
    later = owned(Invoice, member).where(col(Invoice.period_start) >= month.end(zone))
    for invoice in session.exec(later):
        grants = _less(grants, Snapshot.from_json(invoice.snapshot).draft)
    earlier = Month.of(rows[0].created_at, zone)
    while earlier < month:
        closed = invoice_of(session, member, earlier)
        figures = (
            Snapshot.from_json(closed.snapshot).draft if closed else rated(session, member, earlier, grants)
        )
        grants = _less(grants, figures)
        earlier = earlier.next
    return [grant for grant in grants if _lasts_into(grant, month)]


def _less(grants: list[Credit], figures: Draft) -> list[Credit]:
    used = {use.grant_id: use.amount for use in figures.credits}
    return [
        replace(grant, left=grant.left - used[grant.grant_id]) if grant.grant_id in used else grant
        for grant in grants
    ]


def invoice_of(session: Session, member: Member, month: Month) -> Invoice | None:
    """The invoice of a month, once it is closed."""
    # Its middle lies in the period also when the workspace has moved to another time zone since.
    middle = datetime(month.year, month.month, 15, tzinfo=UTC)
    return session.exec(
        owned(Invoice, member).where(col(Invoice.period_start) <= middle, col(Invoice.period_end) > middle)
    ).one_or_none()


def _lasts_into(grant: Credit, month: Month) -> bool:
    return grant.last_day is None or grant.last_day > month.first


def _credit(row: CreditGrant, zone: str) -> Credit:
    # A day on which the grant is valid for a while is a day on which it pays.
    last_day = None if row.expires_at is None else day_of(row.expires_at - _INSTANT, zone) + timedelta(days=1)
    return Credit(
        grant_id=row.id,
        reason=row.reason,
        left=Money(row.amount, PAY_AS_YOU_GO.currency),
        first_day=day_of(row.created_at, zone),
        last_day=last_day,
    )


def snapshot_of(
    session: Session, member: Member, month: Month, figures: Draft, *, number: str | None = None
) -> Snapshot:
    """A draft with seller, customer and dates as they are today; without a number it stays a draft."""
    tenant = get_tenant(session, member)
    issued_on = day_of(clock.now(), tenant.time_zone)
    return Snapshot(
        number=number,
        issued_on=issued_on,
        due_on=issued_on + timedelta(days=DAYS_TO_PAY) if number else None,
        first_day=month.first,
        last_day=month.last,
        time_zone=tenant.time_zone,
        seller=_seller(),
        payment=settings().seller_payment,
        customer=Party(name=tenant.name),
        workspace=tenant.name,
        plan_title=current_plan(session, member).title,
        # A draft's use is sealed a minute later; what is finalised says to the record what it stands on.
        ledger=seal_all(session, member.tenant_id) if number else None,
        draft=figures,
    )


def _seller() -> Party:
    lines = (line.strip() for line in re.split(r"[\n;]", settings().seller_address))
    return Party(
        name=settings().seller_name,
        address=tuple(line for line in lines if line),
        tax_id=settings().seller_tax_id,
    )
