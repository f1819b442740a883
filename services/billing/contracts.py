"""Contracts: a promise to spend, and a fee for the whole term that is paid in instalments."""

import json
from datetime import timedelta
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session, col

from services.accounts import audit
from services.accounts.scope import Member, Role, Staff, StaffRole, owned
from services.accounts.service import get_tenant, lock_tenant_to_bill
from services.billing.agreement_errors import UnusableContract
from services.billing.allocation import instalments
from services.billing.commitment import Commitment
from services.billing.invoicing import Charge, ChargeKind
from services.billing.money import EXACT, Money, rounded
from services.billing.period import Month
from services.billing.tables import Contract, Invoice

# Of a commitment, for examples.
_SHARES = ("0", "0.5", "1", "1.5", "2")


class Terms(BaseModel):
    """What is promised: a fee for the term in `parts`, a commitment for each month or for the whole term."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    fee: Money | None = None
    parts: int = Field(default=1, ge=1)
    commitment: Commitment | None = None
    every_month: bool = True
    # For how many months it was signed, where it has ended early.
    signed_months: int | None = Field(default=None, ge=1)


def drawn_up(
    session: Session, staff: Staff, *, tenant_id: str, title: str, first: Month, months: int, terms: Terms
) -> Contract:
    """A contract as it would be signed, to look at; nothing is written.

    Raises:
        UnusableContract: no months, more instalments than months, another contract in the same months, a
            month that is invoiced already, or a fee in another currency than the workspace's.
    """
    staff.require(StaffRole.admin)
    if not title.strip():
        raise UnusableContract("it has no title, and its instalments are named after it.")
    if not 1 <= months <= 120:
        raise UnusableContract("its term has 1 to 120 months.")
    if terms.parts > months:
        raise UnusableContract("it has more instalments than months.")
    if terms.fee is None and terms.commitment is None:
        raise UnusableContract("it promises nothing. Give it a fee or a commitment.")
    member = Member(tenant_id=tenant_id, role=Role.owner)
    tenant = get_tenant(session, member)
    if terms.fee is not None and terms.fee.currency != tenant.currency:
        raise UnusableContract(f"its fee is not in {tenant.currency}, in which the workspace is billed.")
    closed = owned(Invoice, member).where(col(Invoice.period_end) > first.start(tenant.time_zone))
    if invoiced := session.exec(closed.order_by(col(Invoice.period_start).desc()).limit(1)).first():
        raise UnusableContract(f"invoice {invoiced.number} has closed a month of it. Begin after that month.")
    starts_on, ends_on = first.first, first.plus(months - 1).last
    meanwhile = owned(Contract, member).where(Contract.starts_on <= ends_on, Contract.ends_on >= starts_on)
    if session.exec(meanwhile).first() is not None:
        raise UnusableContract("there is another one in the same months.")
    return Contract(
        tenant_id=tenant_id,
        title=title.strip(),
        starts_on=starts_on,
        ends_on=ends_on,
        terms=terms.model_dump(mode="json"),
    )


def sign(
    session: Session, staff: Staff, *, tenant_id: str, title: str, first: Month, months: int, terms: Terms
) -> Contract:
    """Bind a workspace for a term of whole months.

    Raises:
        UnusableContract: as `drawn_up` says.
    """
    staff.require(StaffRole.admin)
    # Of two who sign at the same time the second waits here, and then finds the first one's months taken.
    lock_tenant_to_bill(session, Member(tenant_id=tenant_id, role=Role.owner))
    signed = drawn_up(
        session, staff, tenant_id=tenant_id, title=title, first=first, months=months, terms=terms
    )
    session.add(signed)
    session.flush()
    audit.record(session, staff, "contract.signed", signed.id, tenant_id=tenant_id, title=signed.title)
    return signed


def contract_in(session: Session, member: Member, month: Month) -> Contract | None:
    """The contract whose term a month lies in."""
    running = owned(Contract, member).where(Contract.starts_on <= month.first, Contract.ends_on >= month.last)
    return session.exec(running).one_or_none()


def contracts(session: Session, member: Member) -> list[Contract]:
    """Every contract of the workspace, newest first."""
    return list(session.exec(owned(Contract, member).order_by(col(Contract.starts_on).desc())))


def terms_of(contract: Contract) -> Terms:
    """What a contract promises, as a value."""
    return Terms.model_validate_json(json.dumps(contract.terms))


def plan_of_payments(contract: Contract) -> list[tuple[Month, Money]]:
    """The months in which the parts of the fee are billed, spread over the signed term, and each part.

    Of a contract that has ended early only those up to its end.
    """
    terms = terms_of(contract)
    if terms.fee is None:
        return []
    first, months = Month.at(contract.starts_on), signed_months(contract)
    spread = [
        (first.plus(part * months // terms.parts), amount)
        for part, amount in enumerate(instalments(terms.fee, terms.parts))
    ]
    return [(month, amount) for month, amount in spread if month.last <= contract.ends_on]


def instalment(contract: Contract, month: Month) -> list[Charge]:
    """The part of the fee that is billed in a month."""
    plan, parts = plan_of_payments(contract), terms_of(contract).parts
    return [
        Charge(
            key=f"{ChargeKind.instalment}:{contract.id}:{number}",
            kind=ChargeKind.instalment,
            title=f"{contract.title}: instalment {number} of {parts}",
            first_day=month.first,
            last_day=month.last,
            source=contract.id,
            amount=amount,
        )
        for number, (due, amount) in enumerate(plan, 1)
        if due == month
    ]


def worked(commitment: Commitment, currency: str) -> list[tuple[Money, Money]]:
    """What so much use comes to under a commitment: without use, at half, all, half as much again, twice."""
    promised = rounded(commitment.amount, currency)
    used = [rounded(EXACT.multiply(promised.amount, Decimal(share)), currency) for share in _SHARES]
    return [(use, use + commitment.missing(use) + commitment.surcharge(use)) for use in used]


def signed_months(contract: Contract) -> int:
    """For how many months a contract was signed, whenever it ends."""
    return terms_of(contract).signed_months or term_months(contract)


def term_months(contract: Contract) -> int:
    """How many months a contract's term has."""
    after = contract.ends_on + timedelta(days=1)
    return (after.year - contract.starts_on.year) * 12 + after.month - contract.starts_on.month
