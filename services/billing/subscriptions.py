"""Which plan a workspace is on: subscribing, changing with a preview that equals the charge, leaving."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, or_

from services import clock
from services.accounts import audit
from services.accounts.scope import Member, Role, owned
from services.accounts.service import get_tenant, lock_tenant
from services.accounts.tables import Tenant
from services.billing import catalogue, proration
from services.billing.calendars import this_month, today
from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.money import Money
from services.billing.plan_errors import AlreadySubscribed, CurrencyDiffers, PreviewTooOld
from services.billing.plans import Limits, Plan, in_force
from services.billing.proration import Legs
from services.billing.tables import Subscription
from services.billing.timeline import Stay, schedule
from services.metering.days import day_of

# How long a change may still be confirmed at the instant of its preview.
PREVIEW_HOLDS = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Change:
    """What going to another plan does, at an instant: fees back and due, and prices from that day on."""

    at: datetime
    old: Plan
    new: Plan
    legs: Legs


def subscription(session: Session, member: Member) -> Subscription | None:
    """What the tenant is subscribed to at present."""
    now = clock.now()
    current = owned(Subscription, member).where(
        col(Subscription.starts_at) <= now,
        or_(col(Subscription.ends_at).is_(None), col(Subscription.ends_at) > now),
    )
    return session.exec(current.order_by(col(Subscription.starts_at).desc()).limit(1)).one_or_none()


def stays(session: Session, member: Member) -> list[Stay]:
    """Every plan that the tenant was ever on, oldest first."""
    rows = session.exec(owned(Subscription, member).order_by(col(Subscription.starts_at)))
    return [Stay(row.plan, row.starts_at, row.ends_at, row.trial) for row in rows]


def plan_versions(session: Session, member: Member) -> tuple[Plan, ...]:
    """The plans of the tenant in the order in which they rate its days, each from its `valid_from` on."""
    been = stays(session, member)
    if not been:
        return catalogue.versions(session, PAY_AS_YOU_GO.name)
    sold = {name: catalogue.versions(session, name) for name in {stay.plan for stay in been}}
    return schedule(been, sold, get_tenant(session, member).time_zone)


def current_plan(session: Session, member: Member) -> Plan:
    """The version of the tenant's plan that rates today's use."""
    return in_force(plan_versions(session, member), today(session, member))


def subscribe(session: Session, member: Member, *, plan: str, trial: bool = False) -> Subscription:
    """Put a workspace without a plan on one.

    Raises:
        AlreadySubscribed: it has one; two at one time are not sold.
        UnknownPlan, CurrencyDiffers: it cannot have this one.
    """
    tenant = lock_tenant(session, member)
    if current := subscription(session, member):
        raise AlreadySubscribed(current.plan)
    sold = _sold(session, tenant, plan)
    limit(tenant, sold.trial.limits if trial else sold.limits)
    started = Subscription(tenant_id=member.tenant_id, plan=plan, trial=trial)
    session.add_all([tenant, started])
    session.flush()
    return started


def preview(session: Session, member: Member, *, plan: str, at: datetime | None = None) -> Change:
    """What changing to another plan at an instant (default: now) costs; asked again for it, it is the same.

    Raises:
        UnknownPlan, CurrencyDiffers, AlreadySubscribed: it cannot be changed to.
    """
    tenant = get_tenant(session, member)
    at = at or clock.now()
    current = subscription(session, member)
    if current is not None and current.plan == plan and not current.trial:
        raise AlreadySubscribed(plan)
    day = day_of(at, tenant.time_zone)
    old = in_force(plan_versions(session, member), day)
    new = _sold(session, tenant, plan)
    month = this_month(session, member)
    # A trial has paid no fee, and gets none back.
    paid = old.fee if current is not None and not current.trial else None
    legs = proration.change(
        old=paid or Money.zero(new.currency),
        new=new.fee or Money.zero(new.currency),
        start=month.start(tenant.time_zone),
        at=at,
        end=month.end(tenant.time_zone),
    )
    return Change(at=at, old=old, new=new, legs=legs)


def change(session: Session, member: Member, *, plan: str, at: datetime) -> Subscription:
    """Go to another plan at the instant of a preview, and at its cost.

    Raises:
        PreviewTooOld: the preview is of another month or over a quarter of an hour old.
        UnknownPlan, CurrencyDiffers, AlreadySubscribed: as `preview` says.
    """
    member.require(Role.billing)
    tenant = lock_tenant(session, member)
    now = clock.now()
    month = this_month(session, member)
    if not max(now - PREVIEW_HOLDS, month.start(tenant.time_zone)) <= at <= now:
        raise PreviewTooOld
    current = subscription(session, member)
    if current is not None and at <= current.starts_at:
        raise PreviewTooOld
    changed = preview(session, member, plan=plan, at=at)
    if current is not None:
        current.ends_at = at
        session.add(current)
        session.flush()
    started = Subscription(tenant_id=member.tenant_id, plan=plan, trial=False, starts_at=at)
    limit(tenant, changed.new.limits)
    session.add_all([tenant, started])
    session.flush()
    audit.record(
        session,
        member,
        "plan.changed",
        started.id,
        plan=plan,
        before=changed.old.name,
        due=changed.legs.net.micros,
    )
    return started


def offered(session: Session, member: Member) -> Sequence[Plan]:
    """The plans that the workspace could be on today, in its currency."""
    tenant = get_tenant(session, member)
    day = today(session, member)
    sold = [
        in_force(versions, day)
        for versions in catalogue.plans(session).values()
        if versions[0].valid_from <= day
    ]
    return [plan for plan in sold if plan.currency == tenant.currency]


def _sold(session: Session, tenant: Tenant, name: str) -> Plan:
    plan = in_force(catalogue.versions(session, name), day_of(clock.now(), tenant.time_zone))
    if plan.currency != tenant.currency:
        raise CurrencyDiffers(plan.title, plan.currency, tenant.currency)
    return plan


def limit(tenant: Tenant, limits: Limits) -> None:
    """Let a workspace ask of the queue what its plan allows."""
    tenant.running_job_limit = limits.running_jobs
    tenant.open_job_limit = limits.open_jobs
    tenant.max_runtime_seconds = int(limits.runtime.total_seconds())
    tenant.share_weight = limits.share_weight
