"""Whose turn it is. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

_NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Waiting:
    """A tenant with a job that could start now."""

    tenant_id: str
    last_claim_at: datetime | None
    running: int
    limit: int


def in_turn(tenants: Iterable[Waiting]) -> list[str]:
    """Tenants below their limit, whoever was served longest ago first.

    A newcomer, never served, therefore waits for no more claims than there are others like it, however many
    jobs anybody else has queued.
    """
    below = [tenant for tenant in tenants if tenant.running < tenant.limit]
    below.sort(key=lambda tenant: (tenant.last_claim_at or _NEVER, tenant.tenant_id))
    return [tenant.tenant_id for tenant in below]
