"""An invoice as rows that finance tools read: the columns of FOCUS 1.2, one row for each amount.

BilledCost adds up to what is to be paid, to the cent. Source: https://focus.finops.org, version 1.2.
"""

import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from services.billing.invoicing import Charge, ChargeKind, Line
from services.billing.money import Money
from services.billing.snapshot import Snapshot
from services.datasets.cells import inert
from services.documents.xml import amount
from services.metering.cloudevents import plain
from services.metering.days import midnight
from services.metering.meters import METERS, TRAINING_SECONDS, meter

COLUMNS = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodStart",
    "BillingPeriodEnd",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodStart",
    "ChargePeriodEnd",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "SkuMeter",
    "SkuPriceId",
    "Tags",
)
_DAY = timedelta(days=1)
_COSTS = ("BilledCost", "ContractedCost", "EffectiveCost", "ListCost")
_NUMBERS = {*_COSTS, "ConsumedQuantity", "PricingQuantity"}
_FEES = {ChargeKind.fee, ChargeKind.instalment, ChargeKind.base}


def csv_of(snapshot: Snapshot) -> bytes:
    """The rows as CSV in UTF-8; a cell that a spreadsheet would run is made inert."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for row in rows(snapshot):
        writer.writerow([_inert(name, row.get(name, "")) for name in COLUMNS])
    return file.getvalue().encode()


def _inert(name: str, value: str) -> str:
    return value if name in _NUMBERS else inert(value)


def rows(snapshot: Snapshot) -> Iterator[dict[str, str]]:
    """A row for each line, charge, discount, credit, credit note and tax."""
    draft, zone = snapshot.draft, snapshot.time_zone
    for line in draft.lines:
        yield _row(snapshot, line.amount, category="Usage", **_used(line, zone))
    for charge in draft.charges:
        yield _row(snapshot, charge.amount, **_charged(charge, zone))
    for discount in draft.discounts:
        yield _row(snapshot, -discount.amount, category="Credit", description=discount.title)
    for group in draft.tax_groups:
        if group.tax.micros:
            described = f"VAT {plain(group.percent)} %"
            yield _row(snapshot, group.tax, category="Tax", description=described)
    for credit in draft.credits:
        source = {"description": credit.reason, "sku": credit.grant_id}
        yield _row(snapshot, -credit.amount, category="Credit", **source)
    for balance in draft.balances:
        title = f"Credit note {balance.credit_note}"
        yield _row(snapshot, -balance.amount, category="Credit", description=title, sku=balance.credit_note)


def _used(line: Line, zone: str) -> dict[str, str]:
    measured = meter(line.meter)
    is_job = line.meter == TRAINING_SECONDS.name
    return {
        "description": f"{line.title}: {line.name}",
        "sku": line.price_key,
        "price": f"{line.price_key}:{line.plan}:v{line.plan_version}",
        "ConsumedQuantity": plain(line.quantity),
        "ConsumedUnit": measured.unit,
        "PricingQuantity": plain(line.quantity - line.free),
        "PricingUnit": measured.unit,
        "PricingCategory": "Standard",
        "ResourceId": line.subject,
        "ResourceName": line.name,
        "ResourceType": "Fine-tuning job" if is_job else "Model version" if line.subject else "",
        "SkuMeter": METERS[line.meter].title,
        "ChargeFrequency": "Usage-Based",
        "Tags": json.dumps(line.properties, sort_keys=True),
        **_between(line.first_day, line.last_day, zone),
    }


def _charged(charge: Charge, zone: str) -> dict[str, str]:
    corrects = charge.kind in {ChargeKind.correction, ChargeKind.unused}
    return {
        "category": "Purchase" if charge.kind in _FEES else "Adjustment",
        "description": charge.title,
        "sku": charge.source or charge.key,
        "ChargeClass": "Correction" if corrects else "",
        "ChargeFrequency": "Recurring" if charge.kind in _FEES else "One-Time",
        **_between(charge.first_day, charge.last_day, zone),
    }


def _between(first: date, last: date, zone: str) -> dict[str, str]:
    return {"ChargePeriodStart": _start(first, zone), "ChargePeriodEnd": _start(last + _DAY, zone)}


def _start(day: date, zone: str) -> str:
    return _written(midnight(day, zone))


def _written(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _row(
    snapshot: Snapshot,
    cost: Money,
    *,
    category: str,
    description: str,
    sku: str = "",
    price: str = "",
    **more: str,
) -> dict[str, str]:
    period = _between(snapshot.first_day, snapshot.last_day, snapshot.time_zone)
    # A credit note states above zero what comes back.
    cost = -cost if snapshot.corrects else cost
    return {
        **dict.fromkeys(_COSTS, amount(cost)),
        "BillingAccountId": snapshot.workspace,
        "BillingAccountName": snapshot.customer.name,
        "BillingCurrency": snapshot.draft.currency,
        "BillingPeriodStart": period["ChargePeriodStart"],
        "BillingPeriodEnd": period["ChargePeriodEnd"],
        "ChargeCategory": category,
        "ChargeDescription": description,
        "ChargeFrequency": "One-Time",
        "InvoiceId": snapshot.number or "",
        "InvoiceIssuerName": snapshot.seller.name,
        "ProviderName": snapshot.seller.name,
        "PublisherName": snapshot.seller.name,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "Tuneport",
        "SkuId": sku,
        "SkuPriceId": price,
        **period,
        **more,
    }
