"""A record of use on its way to the ledger: what it must be, and the id that its fact gives it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from services.errors import Invalid
from services.metering.meters import GENERATED_TOKENS, PREDICTIONS, TRAINED_TOKENS, TRAINING_SECONDS, meter

# What the ledger's column holds exactly.
DECIMALS = 6
LARGEST = Decimal("1e12")

_MILLISECOND = timedelta(milliseconds=1)


class UnusableQuantity(Invalid):
    """Not an amount of use."""

    code = "unusable_quantity"

    def __init__(self, event_id: str, quantity: object) -> None:
        super().__init__(
            f"The usage event “{event_id}” has the quantity {quantity}. A quantity is a decimal number "
            f"from 0 to {LARGEST:,.0f} with at most {DECIMALS} decimals."
        )
        self.event_id, self.quantity = event_id, quantity


class PropertyMissing(Invalid):
    """An event lacks what its price depends on."""

    code = "usage_property_missing"

    def __init__(self, event_id: str, name: str) -> None:
        super().__init__(f"The usage event “{event_id}” does not say its {name}, on which its price depends.")
        self.event_id, self.name = event_id, name


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUsage:
    """One fact of use, checked when it is made.

    `at` is when the use happened (with time zone) and `quantity` is in the meter's unit.

    Raises:
        UnknownMeter: nothing is measured under this name.
        UnusableQuantity: negative, not finite, too large, or finer than millionths.
        PropertyMissing: the meter needs a property that is not there.
    """

    tenant_id: str
    id: str
    meter: str
    quantity: Decimal
    at: datetime
    job_id: str | None = None
    model_version_id: str | None = None
    key_id: str | None = None
    user_id: str | None = None
    properties: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not _usable(self.quantity):
            raise UnusableQuantity(self.id, self.quantity)
        for name in meter(self.meter).needs:
            if not self.properties.get(name):
                raise PropertyMissing(self.id, name)
        if self.at.tzinfo is None:
            raise ValueError(f"the usage event {self.id} happened at a time without time zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Some events of one meter, subject (job or model version) and day (of the tenant), added up."""

    meter: str
    subject: str
    day: date
    quantity: Decimal
    events: int = 1
    properties: Mapping[str, str] = field(default_factory=dict)


def _usable(quantity: Decimal) -> bool:
    if not isinstance(quantity, Decimal) or not quantity.is_finite() or not 0 <= quantity <= LARGEST:
        return False
    return quantity == quantity.quantize(Decimal(1).scaleb(-DECIMALS))


def seconds(elapsed: timedelta) -> Decimal:
    """A duration as a quantity of seconds, cut to whole milliseconds in favour of whoever pays."""
    return Decimal(elapsed // _MILLISECOND).scaleb(-3)


def training(
    *,
    tenant_id: str,
    job_id: str,
    device_class: str,
    device_seconds: Decimal,
    at: datetime,
    user_id: str | None = None,
    key_id: str | None = None,
) -> NewUsage:
    """The device time of a finished job; a job has one, however many attempts it took."""
    return NewUsage(
        tenant_id=tenant_id,
        id=f"job:{job_id}:training",
        meter=TRAINING_SECONDS.name,
        quantity=device_seconds,
        at=at,
        job_id=job_id,
        user_id=user_id,
        key_id=key_id,
        properties={"device_class": device_class},
    )


def trained_tokens(
    *,
    tenant_id: str,
    job_id: str,
    tokens: int,
    at: datetime,
    user_id: str | None = None,
    key_id: str | None = None,
) -> NewUsage:
    """The tokens that a finished job trained on."""
    return NewUsage(
        tenant_id=tenant_id,
        id=f"job:{job_id}:trained_tokens",
        meter=TRAINED_TOKENS.name,
        quantity=Decimal(tokens),
        at=at,
        job_id=job_id,
        user_id=user_id,
        key_id=key_id,
    )


def predictions(
    *,
    tenant_id: str,
    request_id: str,
    model_version_id: str,
    texts: int,
    at: datetime,
    user_id: str | None = None,
    key_id: str | None = None,
) -> NewUsage:
    """The texts answered by one request."""
    return NewUsage(
        tenant_id=tenant_id,
        id=f"req:{request_id}",
        meter=PREDICTIONS.name,
        quantity=Decimal(texts),
        at=at,
        model_version_id=model_version_id,
        user_id=user_id,
        key_id=key_id,
    )


def generated_tokens(
    *,
    tenant_id: str,
    request_id: str,
    model_version_id: str,
    tokens: int,
    at: datetime,
    user_id: str | None = None,
    key_id: str | None = None,
) -> NewUsage:
    """The tokens that one request's answers have."""
    return NewUsage(
        tenant_id=tenant_id,
        id=f"req:{request_id}",
        meter=GENERATED_TOKENS.name,
        quantity=Decimal(tokens),
        at=at,
        model_version_id=model_version_id,
        user_id=user_id,
        key_id=key_id,
    )
