"""What an invoice's charges follow from beside use: plans, contract, and the invoices that came before."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.billing.invoicing import Charge
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


class Terms(_Value):
    """All of it, as the bundle carries it.

    `plans` has the published versions of each plan that the workspace was on, `earlier` the invoices that
    this one corrects or carries on from, and `made_before` what invoices in between corrected of those.
    """

    been: tuple[Been, ...] = ()
    plans: dict[str, list[dict[str, Any]]] = {}
    contract: Signed | None = None
    earlier: tuple[Snapshot, ...] = ()
    made_before: tuple[Charge, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """What the bundle keeps."""
        return self.model_dump(mode="json")

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "Terms":
        """The value that `to_json` was called on."""
        earlier = tuple(Snapshot.from_json(told) for told in kept["earlier"])
        made_before = tuple(Charge.model_validate_json(canonical(told)) for told in kept["made_before"])
        rest = {name: value for name, value in kept.items() if name not in {"earlier", "made_before"}}
        return cls(**rest, earlier=earlier, made_before=made_before)

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
