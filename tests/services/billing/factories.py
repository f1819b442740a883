"""Drafts, snapshots and use for tests, with sensible defaults by keyword."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Protocol

from sqlmodel import Session

from services.accounts.scope import Member
from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.invoicing import Draft
from services.billing.money import MICROS, Money
from services.billing.plans import Plan
from services.billing.pricing import Price
from services.billing.rating import draft
from services.billing.snapshot import Party, Snapshot
from services.billing.spending import Credit
from services.billing.taxation import Tax, TaxCategory, TaxCode, Taxes
from services.clock import now
from services.metering import service as metering
from services.metering.meters import PREDICTIONS
from services.metering.usage import Use
from tests.services.metering import factories as events


class Clock(Protocol):
    """The product's clock, as the fixture hands it over."""

    def advance(self, seconds: float) -> None: ...


NOVEMBER = date(2026, 11, 1)
PERIOD = (NOVEMBER, date(2026, 11, 30))
NO_TAX = Tax(Decimal(0), "No VAT is charged.", TaxCategory.exempt)


def day(number: int) -> date:
    return NOVEMBER.replace(day=number)


def training(seconds: str = "100", **changes: object) -> Use:
    fields = {"subject": "job_1", "day": day(3), "properties": {"device_class": "cuda"}}
    return Use(meter="training_seconds", quantity=Decimal(seconds), **(fields | changes))  # type: ignore[arg-type]


def predictions(texts: int = 1000, **changes: object) -> Use:
    fields = {"subject": "mv_1", "day": day(3)}
    return Use(meter="predictions", quantity=Decimal(texts), **(fields | changes))  # type: ignore[arg-type]


def credit(euros: int = 10, **changes: object) -> Credit:
    fields = {"grant_id": "crg_1", "reason": "Trial credit", "first_day": NOVEMBER, "last_day": None}
    return Credit(left=Money(euros * MICROS, "EUR"), **(fields | changes))  # type: ignore[arg-type]


def taxed(tax: Tax) -> Taxes:
    return dict.fromkeys(TaxCode, tax)


def with_price(price: Price) -> Plan:
    """Pay as you go, with predictions at another price."""
    prices = (
        replace(sold, price=price) if sold.meter == PREDICTIONS.name else sold
        for sold in PAY_AS_YOU_GO.prices
    )
    return replace(PAY_AS_YOU_GO, prices=tuple(prices))


def create_draft(*uses: Use, tax: Tax = NO_TAX, **changes: object) -> Draft:
    fields = {"versions": [PAY_AS_YOU_GO], "taxes": taxed(tax), "period": PERIOD}
    return draft(uses, **(fields | changes))  # type: ignore[arg-type]


def create_snapshot(figures: Draft | None = None, **changes: object) -> Snapshot:
    fields = {
        "number": "TP-2026-000042",
        "issued_on": date(2026, 12, 2),
        "due_on": date(2026, 12, 16),
        "first_day": NOVEMBER,
        "last_day": day(30),
        "time_zone": "Europe/Berlin",
        "seller": Party(name="Tuneport", address=("Example Way 12", "10115 Berlin"), tax_id="DE123456789"),
        "payment": "Please transfer the amount to our account.",
        "customer": Party(name="Acme"),
        "workspace": "Acme",
        "plan_title": PAY_AS_YOU_GO.title,
        "draft": figures or create_draft(training("1000"), predictions(500_000)),
    }
    return Snapshot(**(fields | changes))  # type: ignore[arg-type]


def travel(clock: Clock, to: str) -> datetime:
    """Move the product's clock to an instant, in UTC where nothing else is said."""
    there = datetime.fromisoformat(to)
    there = there if there.tzinfo else there.replace(tzinfo=UTC)
    clock.advance((there - now()).total_seconds())
    return there


def record(session: Session, member: Member, *, texts: int = 0, seconds: str = "", **changes: object) -> None:
    """Use in the ledger: so many predictions, so many device-seconds of a job on CUDA."""
    fields = {"at": now()} | changes
    if texts:
        event = events.predictions(member.tenant_id, texts=texts, **fields)
        metering.record(session, [event])
    if seconds:
        event = events.training(member.tenant_id, seconds=seconds, **({"device_class": "cuda"} | fields))
        metering.record(session, [event])
