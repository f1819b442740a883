"""Payment online is set up, and there is an invoice to pay."""

import pytest
from sqlmodel import Session

from services.accounts.scope import Member
from services.billing.tables import Invoice
from services.config import settings
from tests.services.billing.factories import Clock
from tests.services.billing.online.messages import KEY, SECRET, closed


@pytest.fixture(autouse=True)
def stripe_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEPORT_STRIPE_SECRET_KEY", KEY)
    monkeypatch.setenv("TUNEPORT_STRIPE_WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("TUNEPORT_TAX_RATE_PERCENT", "19")
    settings.cache_clear()


@pytest.fixture
def invoice(session: Session, member: Member, clock: Clock) -> Invoice:
    return closed(session, clock, member)
