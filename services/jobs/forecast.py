"""When a waiting job will start: the queue played forward, several times over. Pure.

How long a run takes is known only roughly. So each round draws the time of every run from how recent runs
compared with their quotes, and gives the next free worker to whose turn it then is. The middle of all rounds
is the likely start; nineteen of twenty rounds start before the late one.
"""

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import median

from services.jobs.fairness import stride

ROUNDS = 20
# Work that a forecast may cost, in claims over all rounds: some tens of milliseconds.
MOST_CLAIMS = 20_000
_FEWEST_ROUNDS = 5
_LATE = 0.95


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from now until a job starts: as likely later as earlier, and later only once in twenty."""

    likely: float
    late: float


@dataclass(frozen=True)
class Line:
    """A tenant's standing: its turn, weight and limit, seconds since its last claim, what waits and runs.

    `waiting` has the expected seconds of each job, in the order in which they start.
    """

    tenant_id: str
    turn: int
    weight: int
    limit: int
    last_claim: float
    running: int
    waiting: Sequence[float]


@dataclass(frozen=True)
class Busy:
    """A running job: whose, the equally likely seconds it still takes, and whether its worker goes on."""

    tenant_id: str
    left: Sequence[float]
    worker_stays: bool = True


@dataclass(frozen=True)
class Standing:
    """The queue at this moment; `spread` as in Pace."""

    lines: Sequence[Line]
    busy: Sequence[Busy]
    free_workers: int
    spread: Sequence[float]


def predict(standing: Standing, *, tenant_id: str, jobs: int, seed: str) -> list[Start]:
    """When each of a tenant's first `jobs` waiting jobs starts; none where nobody will take them.

    The same `seed` sees the same chances, so that a forecast moves only when the queue does.
    """
    if all(line.tenant_id != tenant_id for line in standing.lines):
        return []
    chance = random.Random(seed)
    rounds: list[list[float]] = []
    claims = 0
    while len(rounds) < ROUNDS and (claims < MOST_CLAIMS or len(rounds) < _FEWEST_ROUNDS):
        starts, made = _play(standing, tenant_id, jobs, chance)
        rounds.append(starts)
        claims += made
    return [_between(sorted(of_job)) for of_job in zip(*rounds, strict=True)]


def _between(seconds: Sequence[float]) -> Start:
    return Start(likely=median(seconds), late=seconds[ceil(_LATE * len(seconds)) - 1])


@dataclass(slots=True)
class _Tenant:
    """A line as a round moves it on."""

    line: Line
    running: int
    turn: int
    # Seconds from now; negative where it was before.
    last_claim: float
    taken: int = 0

    @property
    def waits(self) -> bool:
        return self.taken < len(self.line.waiting)

    @property
    def place(self) -> tuple[int, float, str]:
        # As `fairness.in_turn` orders tenants.
        return self.turn, self.last_claim, self.line.tenant_id

    def claim(self, now: float) -> float:
        """Take its next job; gives the seconds expected of it."""
        expected = self.line.waiting[self.taken]
        self.taken += 1
        self.running += 1
        self.turn += stride(self.line.weight)
        self.last_claim = now
        return expected


def _play(standing: Standing, tenant_id: str, jobs: int, chance: random.Random) -> tuple[list[float], int]:
    """One possible course of events: seconds until each job starts, and the claims made until then."""
    tenants = {
        line.tenant_id: _Tenant(line, line.running, line.turn, -line.last_claim) for line in standing.lines
    }
    turns = [
        tenant.place for tenant in tenants.values() if tenant.waits and tenant.running < tenant.line.limit
    ]
    ends = [(chance.choice(job.left), job.tenant_id, job.worker_stays) for job in standing.busy]
    heapq.heapify(turns)
    heapq.heapify(ends)
    free, now, claims = standing.free_workers, 0.0, 0
    starts: list[float] = []
    while len(starts) < jobs and claims < MOST_CLAIMS // _FEWEST_ROUNDS:
        if free and turns:
            tenant = tenants[heapq.heappop(turns)[-1]]
            if tenant.line.tenant_id == tenant_id:
                starts.append(now)
            seconds = tenant.claim(now) * chance.choice(standing.spread)
            heapq.heappush(ends, (now + seconds, tenant.line.tenant_id, True))
            claims += 1
            free -= 1
            if tenant.waits and tenant.running < tenant.line.limit:
                heapq.heappush(turns, tenant.place)
        elif ends:
            now, ended, worker_stays = heapq.heappop(ends)
            free += worker_stays
            if (other := tenants.get(ended)) is not None:
                other.running -= 1
                if other.waits and other.running == other.line.limit - 1:
                    heapq.heappush(turns, other.place)
        else:
            return [], claims
    # The far end of a very long queue goes on at the pace of what was played.
    played = len(starts)
    starts += [now * (place + 1) / max(1, played) for place in range(played, jobs)]
    return starts, claims
