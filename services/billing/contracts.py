"""Contracts: a promise to spend, and a fee for the whole term that is paid in instalments."""

import json
from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session, col

from services.accounts import audit
from services.accounts.scope import Member, Role, Staff, StaffRole, owned
from services.billing.allocation import instalments
from services.billing.commitment import Commitment
from services.billing.errors import UnusableContract
from services.billing.invoicing import Charge, ChargeKind
from services.billing.money import Money
from services.billing.period import Month
from services.billing.tables import Contract


class Terms(BaseModel):
    """What is promised: a fee for the term in `parts`, a commitment for each month or for the whole term."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    fee: Money | None = None
    parts: int = Field(default=1, ge=1)
    commitment: Commitment | None = None
    every_month: bool = True


def sign(
    session: Session, staff: Staff, *, tenant_id: str, title: str, first: Month, months: int, terms: Terms
) -> Contract:
    """Bind a workspace for a term of whole months.

    Raises:
        UnusableContract: no months, more instalments than months, or another contract in the same months.
    """
    staff.require(StaffRole.admin)
    if not 1 <= months <= 120:
        raise UnusableContract("its term has 1 to 120 months.")
    if terms.parts > months:
        raise UnusableContract("it has more instalments than months.")
    if terms.fee is None and terms.commitment is None:
        raise UnusableContract("it promises nothing. Give it a fee or a commitment.")
    member = Member(tenant_id=tenant_id, role=Role.owner)
    starts_on, ends_on = first.first, first.plus(months - 1).last
    meanwhile = owned(Contract, member).where(Contract.starts_on <= ends_on, Contract.ends_on >= starts_on)
    if session.exec(meanwhile).first() is not None:
        raise UnusableContract("there is another one in the same months.")
    signed = Contract(
        tenant_id=tenant_id,
        title=title,
        starts_on=starts_on,
        ends_on=ends_on,
        terms=terms.model_dump(mode="json"),
    )
    session.add(signed)
    session.flush()
    audit.record(session, staff, "contract.signed", signed.id, tenant_id=tenant_id, title=title)
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
    """The months in which the parts of the fee are billed, spread over the term, and each part."""
    terms = terms_of(contract)
    if terms.fee is None:
        return []
    first, months = Month(contract.starts_on.year, contract.starts_on.month), term_months(contract)
    return [
        (first.plus(part * months // terms.parts), amount)
        for part, amount in enumerate(instalments(terms.fee, terms.parts))
    ]


def instalment(contract: Contract, month: Month) -> list[Charge]:
    """The part of the fee that is billed in a month."""
    plan = plan_of_payments(contract)
    return [
        Charge(
            key=f"{ChargeKind.instalment}:{contract.id}:{number}",
            kind=ChargeKind.instalment,
            title=f"{contract.title}: instalment {number} of {len(plan)}",
            first_day=month.first,
            last_day=month.last,
            source=contract.id,
            amount=amount,
        )
        for number, (due, amount) in enumerate(plan, 1)
        if due == month
    ]


def term_months(contract: Contract) -> int:
    """How many months a contract's term has."""
    after = contract.ends_on + timedelta(days=1)
    return (after.year - contract.starts_on.year) * 12 + after.month - contract.starts_on.month
