"""The plans that are sold, in versions that never change once they are published."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from sqlmodel import Session, col, select

from services import clock
from services.accounts import audit
from services.accounts.scope import Staff, StaffRole
from services.billing.plan_errors import (
    PlanBeginsTooEarly,
    PlanCurrencyFixed,
    PlanExists,
    PlanForgetsMeter,
    PriceNotSteady,
    UnknownPlan,
)
from services.billing.plans import Plan, from_json, to_json
from services.billing.tables import PlanVersion
from services.metering.meters import METERS, TRAINING_SECONDS


def plans(session: Session) -> Mapping[str, tuple[Plan, ...]]:
    """Every published version by the name of its plan, oldest first."""
    rows = session.exec(select(PlanVersion).order_by(col(PlanVersion.name), col(PlanVersion.version)))
    found: dict[str, tuple[Plan, ...]] = defaultdict(tuple)
    for row in rows:
        found[row.name] += (from_json(row.terms),)
    return dict(found)


def versions(session: Session, name: str) -> tuple[Plan, ...]:
    """The published versions of a plan, oldest first.

    Raises:
        UnknownPlan: nothing is sold under this name.
    """
    rows = session.exec(
        select(PlanVersion).where(PlanVersion.name == name).order_by(col(PlanVersion.version))
    )
    found = tuple(from_json(row.terms) for row in rows)
    if not found:
        raise UnknownPlan(name)
    return found


def publish(session: Session, staff: Staff, plan: Plan) -> Plan:
    """Sell a plan, or the next version of one, from its `valid_from` on; gives it with its version number.

    Raises:
        PlanBeginsTooEarly: it would rate use of days that have begun somewhere.
        PlanCurrencyFixed: earlier versions are sold in another currency.
        PlanForgetsMeter: it neither sells nor includes something that is measured.
        PriceNotSteady: a quoted meter would cost more or less depending on what was used before.
    """
    staff.require(StaffRole.admin)
    # Whoever publishes at the same time waits here, and then takes the next number.
    earlier = session.exec(
        select(PlanVersion)
        .where(PlanVersion.name == plan.name)
        .order_by(col(PlanVersion.version))
        .with_for_update()
    ).all()
    known = [from_json(row.terms) for row in earlier]
    check(plan, known)
    numbered = replace(plan, version=len(known) + 1)
    session.add(
        PlanVersion(
            name=numbered.name,
            version=numbered.version,
            valid_from=numbered.valid_from,
            terms=to_json(numbered),
            published_by=staff.user_id,
        )
    )
    session.flush()
    audit.record(session, staff, "plan.published", numbered.edition, valid_from=str(numbered.valid_from))
    return numbered


def publish_new(session: Session, staff: Staff, plan: Plan) -> Plan:
    """Sell a plan that was not sold before.

    Raises:
        PlanExists: there is one with this name or title.
        PlanBeginsTooEarly, PlanForgetsMeter, PriceNotSteady: as `publish` says.
    """
    staff.require(StaffRole.admin)
    for known in plans(session).values():
        if plan.name == known[0].name or plan.title.casefold() == known[-1].title.casefold():
            raise PlanExists(known[-1].title)
    return publish(session, staff, plan)


def check(plan: Plan, earlier: list[Plan]) -> None:
    """Go on only with a plan that can follow the earlier versions; raises as `publish` does."""
    # The calendar that is furthest ahead is in tomorrow already.
    earliest = clock.now().date() + timedelta(days=2) if earlier else date.min
    if earlier:
        earliest = max(earliest, earlier[-1].valid_from + timedelta(days=1))
    if plan.valid_from < earliest:
        raise PlanBeginsTooEarly(earliest)
    if earlier and earlier[-1].currency != plan.currency:
        raise PlanCurrencyFixed(earlier[-1].currency)
    sold = {price.meter for price in plan.prices} | plan.included
    if forgotten := sorted(set(METERS) - sold):
        raise PlanForgetsMeter(forgotten[0])
    for price in plan.prices:
        if price.meter == TRAINING_SECONDS.name and not price.price.is_steady:
            raise PriceNotSteady(price.title)
