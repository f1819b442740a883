"""Which plan rates which day, and what its fee comes to when plans change within a month. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from services.billing.invoicing import Charge, ChargeKind
from services.billing.money import Money
from services.billing.period import Month
from services.billing.plans import Plan, in_force
from services.billing.proration import prorated, remaining
from services.metering.days import day_of

Catalogue = Mapping[str, Sequence[Plan]]


@dataclass(frozen=True, slots=True)
class Stay:
    """A tenant on a plan between two instants (None: still); a trial pays no fee."""

    plan: str
    starts_at: datetime
    ends_at: datetime | None
    trial: bool = False


def schedule(stays: Sequence[Stay], catalogue: Catalogue, zone: str) -> tuple[Plan, ...]:
    """The plans in the order in which they rate days, each from its `valid_from` on.

    The day of a change is rated by the new plan. Days before the first stay are rated by its plan.
    """
    found: list[Plan] = []
    for position, stay in enumerate(stays):
        versions = catalogue[stay.plan]
        if position == 0:
            found += versions
            continue
        first = day_of(stay.starts_at, zone)
        found = [plan for plan in found if plan.valid_from < first]
        found.append(replace(in_force(versions, first), valid_from=first))
        found += [version for version in versions if version.valid_from > first]
    return tuple(found)


def fees(stays: Sequence[Stay], catalogue: Catalogue, month: Month, zone: str) -> list[Charge]:
    """The fees of a month: full, or for what is left of it, less what a change leaves unused."""
    start, end = month.start(zone), month.end(zone)
    found = []
    for stay in stays:
        begins, ends = max(stay.starts_at, start), min(stay.ends_at or end, end)
        if stay.trial or begins >= ends:
            continue
        plan = in_force(catalogue[stay.plan], day_of(begins, zone))
        if plan.fee is None or not plan.fee.micros:
            continue
        due = prorated(plan.fee, remaining(start, begins, end))
        found.append(_charge(ChargeKind.fee, plan, f"{plan.title}: fee", begins, month, zone, due))
        if ends < end:
            unused = prorated(plan.fee, remaining(start, ends, end))
            title = f"{plan.title}: unused part of the fee"
            found.append(_charge(ChargeKind.unused, plan, title, ends, month, zone, -unused))
    return found


def _charge(
    kind: ChargeKind, plan: Plan, title: str, at: datetime, month: Month, zone: str, amount: Money
) -> Charge:
    return Charge(
        key=f"{kind}:{plan.edition}:{at.isoformat()}",
        kind=kind,
        title=title,
        first_day=day_of(at, zone),
        last_day=month.last,
        source=plan.edition,
        amount=amount,
    )
