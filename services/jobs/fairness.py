"""Whose turn it is. Pure.

Stride scheduling (Waldspurger and Weihl, 1995): the queue has a virtual time; every claim of a tenant moves
its next turn on by a stride, which is the shorter the more weight the tenant has. The earliest turn is
served. Among tenants that all have jobs waiting, claims are therefore shared by weight, however many jobs
anybody has queued. A tenant that had nothing queued starts at the present virtual time: it neither saved up
turns while it was away nor waits behind the backlog of others, so its first job starts after at most one
claim of each tenant that is waiting.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

# The virtual time that one claim costs a tenant of weight 1; divisible by all small weights.
SHARE = 720_720
_NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A tenant with a job that could start now."""

    tenant_id: str
    next_turn: int
    last_claim_at: datetime | None
    running: int
    limit: int


def in_turn(tenants: Iterable[Waiting]) -> list[str]:
    """Tenants below their limit, the earliest turn first; of equal turns, whoever was served longest ago."""
    below = [tenant for tenant in tenants if tenant.running < tenant.limit]
    below.sort(key=lambda tenant: (tenant.next_turn, tenant.last_claim_at or _NEVER, tenant.tenant_id))
    return [tenant.tenant_id for tenant in below]


def stride(weight: int) -> int:
    """The virtual time that a claim costs a tenant of this weight (1, 2, …)."""
    return SHARE // weight


def arrival(next_turn: int, virtual_time: int) -> int:
    """The first turn of a tenant that had nothing queued: not in the past."""
    return max(next_turn, virtual_time)
