"""What is charged beside use is made again from plans, contract and earlier invoices, to the cent."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlmodel import Session

from services.accounts.scope import Member, Staff, StaffRole
from services.billing import catalogue, contracts, subscriptions
from services.billing.commitment import Commitment
from services.billing.contracts import Terms
from services.billing.drafting import figures_of
from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.money import Money
from services.billing.period import Month
from services.billing.tables import Invoice
from tests.services.billing.factories import Clock, record, travel
from tests.services.proof.bundles import closed, faults

ADA = Staff(user_id="ada", role=StaffRole.admin)
TEAM = replace(PAY_AS_YOU_GO, name="team", title="Team", fee=Money(10_000_000, "EUR"))
GROWTH = replace(PAY_AS_YOU_GO, name="growth", title="Growth", fee=Money(20_000_000, "EUR"))


@pytest.fixture
def busy(session: Session, member: Member, clock: Clock) -> Member:
    """On two plans in November, under a contract with a fee and a commitment, with use told late."""
    travel(clock, "2026-11-01T00:00")
    for plan in (TEAM, GROWTH):
        catalogue.publish(session, ADA, plan)
    subscriptions.subscribe(session, member, plan="team")
    terms = Terms(
        fee=Money(1_000_000_000, "EUR"),
        parts=3,
        commitment=Commitment(amount=Decimal(50), overage_factor=Decimal("1.5")),
    )
    contracts.sign(
        session,
        ADA,
        tenant_id=member.tenant_id,
        title="Agreement",
        first=Month(2026, 11),
        months=3,
        terms=terms,
    )
    record(session, member, texts=20_000, at=datetime(2026, 11, 5, tzinfo=UTC))
    travel(clock, "2026-11-16T00:00")
    subscriptions.change(session, member, plan="growth", at=datetime(2026, 11, 16, tzinfo=UTC))
    return member


def with_late_use(session: Session, clock: Clock, member: Member) -> tuple[Invoice, Invoice]:
    first = closed(session, clock, member, Month(2026, 11))
    record(session, member, texts=5_000, at=datetime(2026, 11, 20, tzinfo=UTC))
    record(session, member, texts=1_000, at=datetime(2026, 12, 5, tzinfo=UTC))
    return first, closed(session, clock, member, Month(2026, 12))


def test_every_kind_of_charge_is_made_again(session: Session, busy: Member, clock: Clock) -> None:
    first, second = with_late_use(session, clock, busy)
    # Told after both, of both: the next one corrects both, less what was corrected already.
    record(session, busy, texts=3_000, at=datetime(2026, 11, 25, tzinfo=UTC))
    record(session, busy, texts=2_000, at=datetime(2026, 12, 25, tzinfo=UTC))
    third = closed(session, clock, busy, Month(2027, 1))

    kinds = [[charge.kind.value for charge in figures_of(made).charges] for made in (first, second, third)]
    assert kinds == [
        ["fee", "unused", "fee", "instalment", "true_up"],
        ["fee", "instalment", "correction", "true_up"],
        ["fee", "instalment", "correction", "correction", "true_up"],
    ]
    for made in (first, second, third):
        assert faults(session, busy, made) == []


def test_use_told_late_is_corrected_once_on_the_next_invoice(
    session: Session, member: Member, clock: Clock
) -> None:
    travel(clock, "2026-11-01T00:00")
    record(session, member, texts=10_000, at=datetime(2026, 11, 5, tzinfo=UTC))
    made = [closed(session, clock, member, Month(2026, 11))]
    record(session, member, texts=5_000, at=datetime(2026, 11, 20, tzinfo=UTC))
    for month in (Month(2026, 12), Month(2027, 1)):
        record(session, member, texts=1_000, at=datetime(month.year, month.month, 5, tzinfo=UTC))
        made.append(closed(session, clock, member, month))

    corrected = [
        [(charge.corrects, str(charge.amount)) for charge in figures_of(invoice).charges] for invoice in made
    ]
    assert corrected == [[], [(made[0].number, "1.00 EUR")], []]
    assert [str(figures_of(invoice).subtotal) for invoice in made] == ["2.00 EUR", "1.20 EUR", "0.20 EUR"]
    for invoice in made:
        assert faults(session, member, invoice) == []


@pytest.mark.parametrize("kind", ["fee", "unused", "instalment", "true_up"])
def test_a_cent_more_of_a_charge_is_named(session: Session, busy: Member, clock: Clock, kind: str) -> None:
    first = closed(session, clock, busy, Month(2026, 11))
    key = next(charge.key for charge in figures_of(first).charges if charge.kind == kind)

    def dearer(told: dict[str, Any]) -> None:
        [charge] = [one for one in told["invoice"]["draft"]["charges"] if one["key"] == key]
        charge["amount"]["micros"] += 10_000

    assert f"charge {key}" in [fault.place for fault in faults(session, busy, first, dearer)]


def test_a_cent_more_of_a_correction_is_named(session: Session, busy: Member, clock: Clock) -> None:
    _, second = with_late_use(session, clock, busy)
    key = next(charge.key for charge in figures_of(second).charges if charge.kind == "correction")

    def dearer(told: dict[str, Any]) -> None:
        [charge] = [one for one in told["invoice"]["draft"]["charges"] if one["key"] == key]
        charge["amount"]["micros"] += 10_000

    assert f"charge {key}" in [fault.place for fault in faults(session, busy, second, dearer)]


@pytest.mark.parametrize("kind", ["unused", "true_up"])
def test_a_charge_that_is_left_out_or_made_up_is_named(
    session: Session, busy: Member, clock: Clock, kind: str
) -> None:
    first = closed(session, clock, busy, Month(2026, 11))
    key = next(charge.key for charge in figures_of(first).charges if charge.kind == kind)

    def left_out(told: dict[str, Any]) -> None:
        kept = told["invoice"]["draft"]["charges"]
        told["invoice"]["draft"]["charges"] = [one for one in kept if one["key"] != key]

    def made_up(told: dict[str, Any]) -> None:
        [charge] = [one for one in told["invoice"]["draft"]["charges"] if one["key"] == key]
        told["invoice"]["draft"]["charges"].append({**charge, "key": f"{kind}:nobody"})

    [missing] = [fault for fault in faults(session, busy, first, left_out) if fault.place == f"charge {key}"]
    assert "it is missing" in missing.sentence
    assert f"charge {kind}:nobody" in [fault.place for fault in faults(session, busy, first, made_up)]
