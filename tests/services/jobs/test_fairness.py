"""Whose turn it is: shared by weight, and nobody waits behind another's backlog."""

from collections import Counter
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from services.jobs import fairness
from services.jobs.fairness import Waiting


@dataclass
class Tenant:
    name: str
    weight: int = 1
    next_turn: int = 0


class Queue:
    """Claims without end of tenants that always have jobs waiting."""

    def __init__(self, *tenants: Tenant) -> None:
        self.tenants = list(tenants)
        self.virtual_time = 0

    def arrive(self, tenant: Tenant) -> None:
        tenant.next_turn = fairness.arrival(tenant.next_turn, self.virtual_time)
        self.tenants.append(tenant)

    def claim(self) -> str:
        waiting = [Waiting(one.name, one.next_turn, None, running=0, limit=1) for one in self.tenants]
        name = fairness.in_turn(waiting)[0]
        served = next(one for one in self.tenants if one.name == name)
        self.virtual_time = served.next_turn
        served.next_turn += fairness.stride(served.weight)
        return name


def test_a_tenant_at_its_limit_is_passed_over() -> None:
    full = Waiting("full", 0, None, running=2, limit=2)
    behind = Waiting("behind", 7, None, running=0, limit=2)

    assert fairness.in_turn([full, behind]) == ["behind"]


@given(st.lists(st.integers(1, 10), min_size=2, max_size=6))
def test_claims_are_shared_by_weight(weights: list[int]) -> None:
    queue = Queue(*(Tenant(f"{at}", weight) for at, weight in enumerate(weights)))
    rounds = 40

    claims = Counter(queue.claim() for _ in range(rounds * sum(weights)))

    for at, weight in enumerate(weights):
        assert abs(claims[f"{at}"] - rounds * weight) <= 0.05 * rounds * weight


@given(st.integers(1, 8), st.integers(0, 500))
def test_a_newcomer_is_served_after_at_most_one_claim_of_each_other(others: int, before: int) -> None:
    queue = Queue(*(Tenant(f"old {at}") for at in range(others)))
    for _ in range(before):
        queue.claim()

    queue.arrive(Tenant("newcomer"))

    assert "newcomer" in [queue.claim() for _ in range(others + 1)]


@given(st.integers(1, 500))
def test_turns_are_not_saved_up_while_away(away: int) -> None:
    patient, returning = Tenant("patient"), Tenant("returning")
    queue = Queue(patient)
    for _ in range(away):
        queue.claim()

    queue.arrive(returning)

    claims = Counter(queue.claim() for _ in range(10))
    assert abs(claims["patient"] - claims["returning"]) <= 1
