"""What is rated ahead of a close counts as long as nothing that it follows from has changed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlmodel import Session

from services.accounts.scope import Member, Staff, StaffRole
from services.accounts.tables import Tenant
from services.billing import closing, redeeming
from services.billing.ahead import Rated, rate_ahead
from services.billing.credits import NewCredit, grant_credit
from services.billing.errors import BillingParked
from services.billing.money import MICROS, Money
from services.billing.period import Month
from services.billing.profiles import profile
from services.config import settings
from services.ledger.sealing import seal_all
from tests.services.billing.factories import Clock, record, travel

NOVEMBER = Month(2026, 11)
IN_NOVEMBER = datetime(2026, 11, 10, 12, tzinfo=UTC)
ADA = Staff(user_id="ada", role=StaffRole.admin)


@pytest.fixture
def ahead(session: Session, member: Member, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Rated:
    """A month rated ahead, with a finding of its own, by which one can tell that it was taken."""
    monkeypatch.setenv("TUNEPORT_TAX_RATE_PERCENT", "19")
    monkeypatch.setenv("TUNEPORT_SELLER_COUNTRY", "DE")
    settings.cache_clear()
    travel(clock, "2026-12-02T12:00")
    record(session, member, texts=10_000, at=IN_NOVEMBER)
    seal_all(session, member.tenant_id)
    rated = rate_ahead(session, member, NOVEMBER)
    assert rated is not None
    assert rated.findings == []
    return replace(rated, findings=["It was rated ahead."])


def close(session: Session, member: Member, ahead: Rated) -> Money | None:
    """What the month's invoice comes to; None where what was rated ahead was taken."""
    try:
        invoice = closing.close_month(session, member, year=2026, month=11, ahead=ahead)
    except BillingParked:
        return None
    assert invoice is not None
    return Money(invoice.total, invoice.currency)


def euros(amount: str) -> Money:
    return Money(int(Decimal(amount) * MICROS), "EUR")


def test_it_is_taken_where_nothing_has_changed(session: Session, member: Member, ahead: Rated) -> None:
    assert close(session, member, ahead) is None


def test_use_that_is_not_sealed_yet_is_not_rated_ahead(
    session: Session, member: Member, ahead: Rated
) -> None:
    record(session, member, texts=1, at=IN_NOVEMBER)

    assert rate_ahead(session, member, NOVEMBER) is None


def use(session: Session, member: Member) -> None:
    record(session, member, texts=10_000, at=IN_NOVEMBER)


def coupon(session: Session, member: Member) -> None:
    terms = redeeming.Terms(title="Half", percent=Decimal(50))
    redeeming.make_coupon(session, ADA, code="HALF", terms=terms)
    redeeming.redeem(session, member, code="HALF").first_day = NOVEMBER.first
    session.flush()


def credit(session: Session, member: Member) -> None:
    grant = grant_credit(
        session,
        ADA,
        tenant_id=member.tenant_id,
        credit=NewCredit(amount=euros("1"), reason="Goodwill", prepaid=False),
    )
    grant.created_at = datetime(2026, 11, 1, tzinfo=UTC)
    session.flush()


def country(session: Session, member: Member) -> None:
    kept = profile(session, member)
    kept.country = "US"
    session.add(kept)
    session.flush()


def time_zone(session: Session, member: Member) -> None:
    session.get_one(Tenant, member.tenant_id).time_zone = "Asia/Shanghai"
    session.flush()


@pytest.mark.parametrize(
    ("change", "total"),
    [(use, "4.76"), (coupon, "1.19"), (credit, "1.19"), (country, "2.00"), (time_zone, "2.38")],
)
def test_it_is_rated_anew_where_something_has_changed(
    session: Session,
    member: Member,
    ahead: Rated,
    change: Callable[[Session, Member], None],
    total: str,
) -> None:
    change(session, member)

    assert close(session, member, ahead) == euros(total)
