"""Credit: what a workspace is given or has bought, what is left of it, and the stop when a trial is spent."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col

from services import clock
from services.accounts import audit
from services.accounts.scope import Member, Role, Staff, StaffRole, owned
from services.accounts.service import get_tenant, lock_tenant
from services.billing.agreement_errors import UnusableCredit
from services.billing.calendars import this_month, today
from services.billing.catalogue import versions
from services.billing.drafting import as_credit, credits_before, rated, uses_of
from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.invoicing import Draft
from services.billing.money import Money, total
from services.billing.plan_errors import CurrencyDiffers
from services.billing.plans import in_force
from services.billing.subscriptions import current_plan, limit, subscription
from services.billing.tables import CreditGrant, Subscription
from services.metering.days import midnight


def grant_trial(session: Session, member: Member) -> Subscription:
    """Put the member's new workspace on trial; later calls return the subscription there is.

    The credit lasts through the last day of the trial, in the workspace's time zone.
    """
    if known := _latest(session, member):
        return known
    tenant = lock_tenant(session, member)
    if known := _latest(session, member):
        return known

    day = today(session, member)
    plan = in_force(versions(session, PAY_AS_YOU_GO.name), day)
    started = Subscription(tenant_id=member.tenant_id, plan=plan.name, trial=True)
    grant = CreditGrant(
        tenant_id=member.tenant_id,
        amount=plan.trial.credit.micros,
        currency=plan.currency,
        reason="Trial credit",
        created_at=started.starts_at,
        expires_at=midnight(day + plan.trial.valid, tenant.time_zone),
    )
    limit(tenant, plan.trial.limits)
    session.add_all([tenant, started, grant])
    session.flush()
    audit.record(session, member, "trial.granted", grant.id, amount=grant.amount)
    return started


def end_trial(session: Session, staff: Staff, *, tenant_id: str) -> Subscription:
    """Go on with pay as you go: use no longer stops, and what the credit leaves uncovered is invoiced."""
    staff.require(StaffRole.admin)
    member = Member(tenant_id=tenant_id, role=Role.owner)
    tenant = lock_tenant(session, member)
    current = subscription(session, member)
    if current is not None and not current.trial:
        return current
    plan = current.plan if current else PAY_AS_YOU_GO.name
    paying = Subscription(tenant_id=tenant_id, plan=plan, trial=False)
    if current is not None:
        current.ends_at = paying.starts_at
        session.add(current)
        session.flush()
    limit(tenant, current_plan(session, member).limits)
    session.add_all([tenant, paying])
    session.flush()
    audit.record(session, staff, "trial.ended", paying.id, tenant_id=tenant_id)
    return paying


@dataclass(frozen=True, slots=True)
class NewCredit:
    """Credit to give, or that was paid ahead; lower priorities are spent first, None expires never."""

    amount: Money
    # The customer reads it on the invoice.
    reason: str
    prepaid: bool
    priority: int = 100
    expires_at: datetime | None = None


def grant_credit(session: Session, staff: Staff, *, tenant_id: str, credit: NewCredit) -> CreditGrant:
    """Give a workspace credit, or note what it has paid ahead.

    Raises:
        CurrencyDiffers: the workspace is billed in another currency.
        UnusableCredit: it is nothing, has no reason, or has expired already.
    """
    grant = _checked(session, staff, tenant_id, credit)
    session.add(grant)
    session.flush()
    audit.record(session, staff, "credit.granted", grant.id, tenant_id=tenant_id, amount=grant.amount)
    return grant


def preview_credit(
    session: Session, staff: Staff, *, tenant_id: str, credit: NewCredit
) -> tuple[Draft, Draft]:
    """The present month's figures without and with credit that would be granted now; nothing is written.

    Raises:
        CurrencyDiffers, UnusableCredit: as `grant_credit` says.
    """
    grant = _checked(session, staff, tenant_id, credit)
    member = Member(tenant_id=tenant_id, role=Role.owner)
    month, zone = this_month(session, member), get_tenant(session, member).time_zone
    grants = credits_before(session, member, month)
    uses = uses_of(session, member, month)
    before, after = (
        rated(session, member, month, held, uses=uses, complete=True)
        for held in (grants, [*grants, as_credit(grant, zone)])
    )
    return before, after


def _checked(session: Session, staff: Staff, tenant_id: str, credit: NewCredit) -> CreditGrant:
    staff.require(StaffRole.admin)
    tenant = get_tenant(session, Member(tenant_id=tenant_id, role=Role.owner))
    amount, reason = credit.amount, credit.reason.strip()
    if amount.currency != tenant.currency:
        raise CurrencyDiffers(credit.reason, amount.currency, tenant.currency)
    if amount.micros <= 0:
        raise UnusableCredit("its amount is not above zero")
    if not reason:
        raise UnusableCredit("it has no reason, and the customer reads that on the invoice")
    if credit.expires_at is not None and credit.expires_at <= clock.now():
        raise UnusableCredit("it would have expired already; choose a later day")
    return CreditGrant(
        tenant_id=tenant_id,
        amount=amount.micros,
        currency=amount.currency,
        reason=reason,
        priority=credit.priority,
        prepaid=credit.prepaid,
        expires_at=credit.expires_at,
    )


def on_trial(session: Session, member: Member) -> bool:
    """Does use stop when the credit is spent?"""
    current = subscription(session, member)
    return current is None or current.trial


def credit_left(session: Session, member: Member) -> Money:
    """What today's valid grants have left, after all use so far."""
    day = today(session, member)
    month = this_month(session, member)
    grants = credits_before(session, member, month)
    valid = [grant for grant in grants if grant.pays_for(day)]
    if not valid:
        return Money.zero(get_tenant(session, member).currency)
    used = {use.grant_id: use.amount for use in rated(session, member, month, grants).credits}
    currency = valid[0].left.currency
    return total((grant.left - used.get(grant.grant_id, Money.zero(currency)) for grant in valid), currency)


def _latest(session: Session, member: Member) -> Subscription | None:
    newest_first = owned(Subscription, member).order_by(col(Subscription.starts_at).desc())
    return session.exec(newest_first.limit(1)).one_or_none()
