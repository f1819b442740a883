"""What an invoice's charges follow from beside use: plans, contract, and the invoices that came before."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.billing import redeeming
from services.billing.coupons import Coupon
from services.billing.invoicing import Charge
from services.billing.money import Money
from services.billing.plans import Plan, from_json
from services.billing.snapshot import Snapshot
from services.billing.tables import Contract
from services.billing.timeline import Stay, schedule
from services.metering.cloudevents import canonical


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Been(_Value):
    """A time on a plan, as the workspace had it."""

    plan: str
    starts_at: datetime
    ends_at: datetime | None
    trial: bool


class Signed(_Value):
    """The contract that the month lies in."""

    id: str
    title: str
    starts_on: date
    ends_on: date
    terms: dict[str, Any]


class Given(_Value):
    """Credit that could pay of the invoice, and what earlier invoices had used of it, by their numbers."""

    id: str
    reason: str
    # In millionths of the currency, as all of `used`.
    amount: int
    currency: str
    priority: int
    prepaid: bool
    created_at: datetime
    expires_at: datetime | None
    used: dict[str, int]

    @property
    def left(self) -> Money:
        """What earlier invoices had left of it."""
        return Money(self.amount - sum(self.used.values()), self.currency)


class Terms(_Value):
    """All of it, as the bundle carries it.

    `plans` has the published versions of each plan that the workspace was on, `earlier` the invoices that
    this one corrects or carries on from, and `made_before` what invoices in between corrected of those.
    `used_before` has the invoices of earlier months that count to the contract's commitment, `coupons` the
    terms of those that it had taken up, and `grants` its credit. Where a month before was not invoiced yet,
    or they were ended since, there is no knowing what there was of commitment and credit: they are None.
    """

    been: tuple[Been, ...] = ()
    plans: dict[str, list[dict[str, Any]]] = {}
    contract: Signed | None = None
    earlier: tuple[Snapshot, ...] = ()
    made_before: tuple[Charge, ...] = ()
    used_before: tuple[Snapshot, ...] | None = ()
    coupons: dict[str, dict[str, Any]] = {}
    grants: tuple[Given, ...] | None = ()

    def to_json(self) -> dict[str, Any]:
        """What the bundle keeps."""
        return self.model_dump(mode="json")

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "Terms":
        """The value that `to_json` was called on."""
        used_before = kept["used_before"]
        read = {
            "earlier": tuple(map(Snapshot.from_json, kept["earlier"])),
            "made_before": tuple(Charge.model_validate_json(canonical(told)) for told in kept["made_before"]),
            "used_before": None if used_before is None else tuple(map(Snapshot.from_json, used_before)),
        }
        return cls(**{**kept, **read})

    @property
    def stays(self) -> list[Stay]:
        """The times on plans."""
        return [Stay(been.plan, been.starts_at, been.ends_at, been.trial) for been in self.been]

    @property
    def sold(self) -> dict[str, tuple[Plan, ...]]:
        """The plans by name, their versions oldest first."""
        return {name: tuple(map(from_json, versions)) for name, versions in self.plans.items()}

    def versions(self, zone: str) -> tuple[Plan, ...]:
        """The plans in the order in which they rate days."""
        sold = self.sold
        return schedule(self.stays, sold, zone) if self.been else next(iter(sold.values()))

    @property
    def taken_up(self) -> list[Coupon]:
        """The coupons, as they come off an invoice."""
        return [
            redeeming.as_coupon(code, redeeming.Terms.model_validate_json(canonical(told)))
            for code, told in self.coupons.items()
        ]

    @property
    def signed(self) -> Contract | None:
        """The contract, in the form that is billed."""
        kept = self.contract
        if kept is None:
            return None
        return Contract(
            id=kept.id,
            tenant_id="",
            title=kept.title,
            starts_on=kept.starts_on,
            ends_on=kept.ends_on,
            terms=kept.terms,
        )
