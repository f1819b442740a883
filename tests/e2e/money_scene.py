"""A quarter of business for pictures: a customer with months of use, others that owe and pay too much."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

from sqlmodel import Session

from services import clock, demo, ids, onboarding
from services.accounts import keys, team
from services.accounts import service as accounts
from services.accounts.scope import Member, Role, Staff, StaffRole
from services.accounts.tables import Tenant
from services.billing import (
    budgets,
    catalogue,
    closing,
    contracts,
    crediting,
    monitor,
    partners,
    payments,
    profiles,
    redeeming,
    strays,
    subscriptions,
)
from services.billing import credits as granting
from services.billing import service as billing
from services.billing.commitment import Commitment
from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.money import MICROS, Money
from services.billing.period import Month
from services.billing.pricing import VolumePrice
from services.billing.tables import Invoice
from services.billing.tiers import Tier
from services.db import transaction
from services.jobs import queue
from services.metering import service as metering
from services.metering import usage
from services.registry import service as registry
from services.registry.tables import ModelVersion
from tests import factories
from tests.services.registry.test_service import create_artefact, create_report

ADA = Staff(user_id="ada", role=StaffRole.admin)
SELLER = {
    "TUNEPORT_SELLER_NAME": "Tuneport GmbH",
    "TUNEPORT_SELLER_ADDRESS": "Example Way 12",
    "TUNEPORT_SELLER_CITY": "Berlin",
    "TUNEPORT_SELLER_POSTCODE": "10115",
    "TUNEPORT_SELLER_COUNTRY": "DE",
    "TUNEPORT_SELLER_TAX_ID": "DE136695976",
    "TUNEPORT_SELLER_EMAIL": "billing@tuneport.example",
    "TUNEPORT_SELLER_PAYMENT": "Bank transfer to IBAN DE89 3704 0044 0532 0130 00.",
    "TUNEPORT_TAX_RATE_PERCENT": "19",
}
ACME = profiles.Address(
    legal_name="Acme Versand AG",
    address="Hauptstraße 1",
    postcode="1010",
    city="Wien",
    country="AT",
    vat_id="ATU13585627",
    email="rechnung@acme.example",
    reference="PO-7781",
)
NAMES = ("support-messages", "place-names", "product-reviews")


def euros(amount: str) -> Money:
    return Money(int(Decimal(amount) * MICROS), "EUR")


def travel(to: datetime) -> None:
    clock.move(to - clock.now())


@contextmanager
def back_in_time() -> Iterator[None]:
    """Whatever moves the clock inside, it is set right again."""
    try:
        yield
    finally:
        clock.move(-clock.offset())


def build(folder: Path) -> None:
    """Fill a fresh, upgraded home: three months up to now."""
    now = clock.now()
    present = Month.of(now, "UTC")
    first = present.previous.previous
    with back_in_time():
        travel(datetime(first.year, first.month, 1, 6, tzinfo=UTC))
        demo.seed()
        with transaction() as db:
            sell_team(db, first)
        acme = Member(tenant_id=named("Acme").id, role=Role.owner)
        versions = [model(acme, folder / name, name) for name in NAMES]
        with transaction() as db:
            profiles.set_address(db, acme, ACME)
            granting.end_trial(db, ADA, tenant_id=acme.tenant_id)
            key, _ = keys.create_key(db, acme, name="shop-backend")
            partner = partners.add_partner(db, ADA, name="Wienfluss Beratung", share_percent=Decimal("12.5"))
            partners.bring(db, ADA, tenant_id=acme.tenant_id, partner_id=partner.id)
            coupon = redeeming.Terms(title="Welcome", percent=Decimal(10), months=3)
            redeeming.make_coupon(db, ADA, code="WELCOME-26", terms=coupon)
            redeeming.redeem(db, acme, code="WELCOME-26")
            terms = contracts.Terms(fee=euros("12000"), parts=12, commitment=Commitment(amount=Decimal(200)))
            contracts.sign(
                db,
                ADA,
                tenant_id=acme.tenant_id,
                title="Annual contract",
                first=first,
                months=12,
                terms=terms,
            )
            budgets.set_budget(
                db, acme, amount=euros("1600"), thresholds=[50, 80, 100], hard_stop=False,
                emails=["rechnung@acme.example"], webhook_url="",
            )  # fmt: skip
        others = [opened(name, currency) for name, currency in OTHERS]
        for month in (first, first.next, present):
            until = min(now, month.end("UTC"))
            use(acme, versions, key.id, month, until)
            for place, other in enumerate(others):
                use_plainly(other, month, until, texts=20_000 * (place + 1) + 7)
            if month != present:
                travel(month.end("UTC") + timedelta(days=1, hours=3))
                for tenant in (acme, *others):
                    with transaction() as db:
                        closing.close_month(db, tenant, year=month.year, month=month.month)
        travel(now - timedelta(days=6))
        afterwards(acme, others)
    with transaction() as db:
        # The first invitation has ended meanwhile.
        team.invite(db, acme, email=demo.PEOPLE[0].email, role=Role.owner)


# The last one stays on trial.
OTHERS = (("Nordwind Logistik GmbH", "EUR"), ("Kumo Foods", "EUR"), ("Lindqvist & Daughters", "EUR"))


def named(name: str) -> Tenant:
    with transaction() as db:
        return accounts.tenant_by_name(db, name)


def opened(name: str, currency: str) -> Member:
    with transaction() as db:
        tenant = onboarding.open_workspace(db, name=name, owner_email=f"owner@{ids.new('user')[-6:]}.example")
        assert tenant.currency == currency
        if not name.startswith("Lindqvist"):
            granting.end_trial(db, ADA, tenant_id=tenant.id)
        return Member(tenant_id=tenant.id, role=Role.owner)


def sell_team(db: Session, first: Month) -> None:
    """A plan with a fee and volume tiers, beside the one that every installation begins with."""
    tiers = (
        Tier(up_to=Decimal(100_000), unit_amount=Decimal("0.00018")),
        Tier(unit_amount=Decimal("0.00012")),
    )
    prices = tuple(
        replace(price, price=VolumePrice(tiers=tiers, flat_at_zero=False))
        if price.key == "predictions"
        else price
        for price in PAY_AS_YOU_GO.prices
    )
    fee, begins = euros("49"), first.first + timedelta(days=2)
    team = replace(PAY_AS_YOU_GO, name="team", title="Team", fee=fee, prices=prices, valid_from=begins)
    catalogue.publish_new(db, ADA, team)


def model(member: Member, folder: Path, name: str) -> ModelVersion:
    with transaction() as db:
        job = factories.create_job(db, member, model_name=name)
        claimed = factories.claim(db)
        assert claimed is not None
        version = registry.publish(
            db, member, name=name, job_id=job.id, labels=["card", "rate"], report=create_report(),
            artefact=create_artefact(folder, job_id=job.id, tenant_id=member.tenant_id),
        )  # fmt: skip
        queue.finish(db, claimed, model_version_id=version.id, charged=30_000)
        return version


def use(member: Member, versions: list[ModelVersion], key_id: str, month: Month, until: datetime) -> None:
    """Calls on working days, more of them every week, and a training run a week."""
    rng, day, serial = Random(month.first.toordinal()), month.first, 0
    while (noon := datetime(day.year, day.month, day.day, 12, tzinfo=UTC)) < until:
        travel(noon)
        events = []
        for place, version in enumerate(versions):
            texts = int(rng.uniform(4_000, 14_000) * (1 + day.day / 40) / (place + 1) ** 2)
            if day.weekday() > 4:
                texts //= 5
            events.append(
                usage.predictions(
                    tenant_id=member.tenant_id, request_id=ids.new("request"), model_version_id=version.id,
                    texts=texts, at=noon, key_id=key_id,
                )
            )  # fmt: skip
        if day.weekday() == 2:
            device = "cuda" if day.day > 15 else "cpu"
            seconds = Decimal(rng.randint(900, 5_000))
            events.append(
                usage.training(
                    tenant_id=member.tenant_id, job_id=versions[serial % 3].job_id, device_class=device,
                    device_seconds=seconds, at=noon,
                )
            )  # fmt: skip
            serial += 1
        with transaction() as db:
            metering.record(db, events)
        day += timedelta(days=1)


def use_plainly(member: Member, month: Month, until: datetime, *, texts: int) -> None:
    at = min(datetime(month.year, month.month, 12, 9, tzinfo=UTC), until - timedelta(hours=1))
    travel(at)
    event = usage.predictions(
        tenant_id=member.tenant_id, request_id=ids.new("request"), model_version_id="mv_1", texts=texts, at=at
    )
    with transaction() as db:
        metering.record(db, [event])


def afterwards(acme: Member, others: list[Member]) -> None:
    """What came in and went back, what was granted, and one workspace whose figures do not agree."""
    with transaction() as db:
        last, before = billing.invoices(db, acme)[:2]
        pay(db, before, Money(before.payable, "EUR"), "SEPA 4711")
        net = euros("25")
        crediting.credit(
            db,
            ADA,
            tenant_id=acme.tenant_id,
            invoice_id=before.id,
            reason="Slow answers on 3 October",
            net=net,
        )
        pay(db, last, euros("500"), "SEPA 5120")
        nordwind, kumo, _ = others
        owed = billing.invoices(db, nordwind)[0]
        strays.take(
            db, nordwind, invoice_id=owed.id, amount=Money(owed.payable + 5 * MICROS, "EUR"),
            method="stripe", reference="pi_3Q8", received_on=date.today(),  # noqa: DTZ011
        )  # fmt: skip
        monitor.park(db, kumo, ["The hours of 12 November count 40,007 predictions, their events 40,006."])
        ahead = granting.NewCredit(euros("300"), "Prepaid 2026", prepaid=True)
        granting.grant_credit(db, ADA, tenant_id=nordwind.tenant_id, credit=ahead)
        soon = clock.now() + timedelta(days=200)
        given = granting.NewCredit(euros("15"), "Goodwill", prepaid=False, expires_at=soon)
        granting.grant_credit(db, ADA, tenant_id=acme.tenant_id, credit=given)
        subscriptions.change(db, nordwind, plan="team", at=clock.now())


def pay(db: Session, invoice: Invoice, amount: Money, reference: str) -> None:
    payments.record_by_hand(
        db, ADA, tenant_id=invoice.tenant_id, invoice_id=invoice.id, amount=amount, reference=reference,
        received_on=clock.now().date(),
    )  # fmt: skip
