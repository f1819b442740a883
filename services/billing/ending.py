"""Ending early what was agreed beside a plan: contracts, credit, coupons. What is invoiced stays as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from sqlmodel import Session, col

from services import clock
from services.accounts import audit
from services.accounts.scope import Member, Role, Staff, StaffRole, find, owned
from services.accounts.service import get_tenant, lock_tenant_to_bill
from services.billing import contracts
from services.billing.agreement_errors import AlreadyEnded, EndsTooEarly
from services.billing.calendars import this_month
from services.billing.commitment import Commitment
from services.billing.contracts import Terms
from services.billing.money import Money, rounded
from services.billing.monitor import standing
from services.billing.period import Month
from services.billing.proration import prorated
from services.billing.tables import Contract, CouponCode, CreditGrant, Invoice, Redemption
from services.errors import NotFound


@dataclass(frozen=True, slots=True)
class ContractEnd:
    """A contract as it would be after it ended with a month, and what is not billed any more."""

    contract: Contract
    terms: Terms
    last: Month
    # The instalments that no invoice will have.
    dropped: Sequence[tuple[Month, Money]]


def last_months(session: Session, staff: Staff, *, tenant_id: str, contract: Contract) -> list[Month]:
    """The months with which a contract can end early, soonest first; none where it is over."""
    staff.require(StaffRole.admin)
    member = Member(tenant_id=tenant_id, role=Role.owner)
    begins = Month(contract.starts_on.year, contract.starts_on.month)
    soonest = max(begins, _open_month(session, member))
    ends = Month(contract.ends_on.year, contract.ends_on.month)
    found = []
    while soonest < ends:
        found.append(soonest)
        soonest = soonest.next
    return found


def preview_contract(
    session: Session, staff: Staff, *, tenant_id: str, contract_id: str, last: Month
) -> ContractEnd:
    """What ending a contract with a month would change; nothing is written.

    A commitment for the whole term becomes its part for the months that it then has.

    Raises:
        NotFound: no such contract of the workspace.
        AlreadyEnded, EndsTooEarly: it cannot end with this month.
    """
    staff.require(StaffRole.admin)
    contract = find(session, Member(tenant_id=tenant_id, role=Role.owner), Contract, contract_id, "contract")
    possible = last_months(session, staff, tenant_id=tenant_id, contract=contract)
    if not possible:
        raise AlreadyEnded("contract")
    if last not in possible:
        raise EndsTooEarly(possible[0])
    terms, signed = contracts.terms_of(contract), contracts.signed_months(contract)
    commitment = terms.commitment
    if commitment is not None and not terms.every_month:
        months = (last.year - contract.starts_on.year) * 12 + last.month - contract.starts_on.month + 1
        part = Fraction(months, contracts.term_months(contract))
        currency = get_tenant(session, Member(tenant_id=tenant_id, role=Role.owner)).currency
        commitment = _part(commitment, part, currency)
    return ContractEnd(
        contract=contract,
        terms=terms.model_copy(update={"signed_months": signed, "commitment": commitment}),
        last=last,
        dropped=[part for part in contracts.plan_of_payments(contract) if last < part[0]],
    )


def end_contract(
    session: Session, staff: Staff, *, tenant_id: str, contract_id: str, last: Month
) -> Contract:
    """End a contract with a month that is not invoiced yet; raises as `preview_contract` does."""
    staff.require(StaffRole.admin)
    lock_tenant_to_bill(session, Member(tenant_id=tenant_id, role=Role.owner))
    end = preview_contract(session, staff, tenant_id=tenant_id, contract_id=contract_id, last=last)
    contract = end.contract
    contract.ends_on, contract.terms = last.last, end.terms.model_dump(mode="json")
    session.add(contract)
    session.flush()
    audit.record(session, staff, "contract.ended", contract.id, tenant_id=tenant_id, last=str(last))
    return contract


def end_credit(session: Session, staff: Staff, *, tenant_id: str, grant_id: str) -> Money:
    """Let credit pay for nothing that is used after today; gives what expires of it, as far as is invoiced.

    Raises:
        NotFound: no such grant of the workspace.
        AlreadyEnded: it has expired.
    """
    staff.require(StaffRole.admin)
    member = Member(tenant_id=tenant_id, role=Role.owner)
    lock_tenant_to_bill(session, member)
    grant = find(session, member, CreditGrant, grant_id, "credit")
    now = clock.now()
    if grant.expires_at is not None and grant.expires_at <= now:
        raise AlreadyEnded("credit")
    _, _, left = standing(session, member, grant)
    grant.expires_at = now
    session.add(grant)
    session.flush()
    audit.record(session, staff, "credit.ended", grant_id, tenant_id=tenant_id, left=left.micros)
    return left


def end_coupon(session: Session, staff: Staff, *, code: str) -> CouponCode:
    """Let nobody take a coupon up any more; whoever has keeps it.

    Raises:
        NotFound: there is no such coupon.
        AlreadyEnded: it can be taken up by nobody already.
    """
    staff.require(StaffRole.admin)
    made = session.get(CouponCode, code, with_for_update=True)
    if made is None:
        raise NotFound("coupon")
    yesterday = clock.now().date() - timedelta(days=1)
    until = made.terms.get("until")
    if until is not None and until <= str(yesterday):
        raise AlreadyEnded("coupon")
    made.terms = made.terms | {"until": str(yesterday)}
    session.add(made)
    session.flush()
    audit.record(session, staff, "coupon.ended", code)
    return made


def end_redemption(session: Session, staff: Staff, *, tenant_id: str, code: str) -> Redemption:
    """Let a coupon come off no invoice of a workspace any more, the next one included.

    Raises:
        NotFound: the workspace has not taken it up.
        AlreadyEnded: it comes off no invoice that is still to be made.
    """
    staff.require(StaffRole.admin)
    member = Member(tenant_id=tenant_id, role=Role.owner)
    lock_tenant_to_bill(session, member)
    taken = session.exec(owned(Redemption, member).where(Redemption.code == code)).one_or_none()
    if taken is None:
        raise NotFound("coupon")
    last = _open_month(session, member).previous
    if taken.last_day is not None and taken.last_day <= last.last:
        raise AlreadyEnded("coupon")
    taken.last_day = last.last
    session.add(taken)
    session.flush()
    audit.record(session, staff, "coupon.taken_back", code, tenant_id=tenant_id)
    return taken


def _open_month(session: Session, member: Member) -> Month:
    """The first month that is not invoiced yet: the present one, or the one before while that is open."""
    present = this_month(session, member)
    newest_first = owned(Invoice, member).order_by(col(Invoice.period_start).desc())
    last = session.exec(newest_first.limit(1)).one_or_none()
    if last is None:
        return present.previous
    # The middle: a workspace may have moved to another time zone since.
    middle = last.period_start + (last.period_end - last.period_start) // 2
    return max(Month.of(middle, "UTC").next, present.previous)


def _part(commitment: Commitment, part: Fraction, currency: str) -> Commitment:
    promised = prorated(rounded(commitment.amount, currency), part)
    return commitment.model_copy(update={"amount": promised.amount})
