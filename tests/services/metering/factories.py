"""Usage for tests, with sensible defaults by keyword."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import count

from services.metering import usage
from services.metering.usage import NewUsage

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
_numbers = count(1)


def training(tenant_id: str, *, seconds: str = "60", **changes: object) -> NewUsage:
    fields = {"job_id": f"job_{next(_numbers)}", "device_class": "cpu", "at": NOON}
    return usage.training(tenant_id=tenant_id, device_seconds=Decimal(seconds), **(fields | changes))


def predictions(tenant_id: str, *, texts: int = 1, **changes: object) -> NewUsage:
    fields = {"request_id": f"req_{next(_numbers)}", "model_version_id": "mv_1", "at": NOON}
    return usage.predictions(tenant_id=tenant_id, texts=texts, **(fields | changes))
