"""When a waiting job will start: the queue played forward, several times over. Pure.

How long a run takes is known only roughly, and who will come meanwhile not at all. So each round draws the
time of every run from how recent runs compared with their quotes, lets jobs arrive as they lately did, and
gives the next free worker to whose turn it then is. The middle of the rounds is the likely start, the last of
them the late one.
"""

import heapq
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from services.jobs.fairness import arrival, stride

ROUNDS = 20
# Work that a forecast may cost, in claims over all rounds: some tens of milliseconds.
MOST_CLAIMS = 20_000
_FEWEST_ROUNDS = 5
# How much slower or faster jobs may arrive than they lately did.
_HASTE = (0.5, 2.0)


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from now until a job starts: as likely later as earlier, and rarely later than `late`.

    benchmarks/forecast.py measures both.
    """

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


@dataclass(frozen=True, slots=True)
class Arrival:
    """A job that was lately submitted: whose, how many seconds ago, and its expected seconds."""

    tenant_id: str
    ago: float
    expected: float


@dataclass(frozen=True)
class Standing:
    """The queue at this moment; `spread` as in Pace.

    `arrivals` were made within the last `window` seconds, by tenants that have a line.
    """

    lines: Sequence[Line]
    busy: Sequence[Busy]
    free_workers: int
    spread: Sequence[float]
    virtual_time: int = 0
    arrivals: Sequence[Arrival] = ()
    window: float = 3600.0


def predict(standing: Standing, *, tenant_id: str, jobs: int, seed: str) -> list[Start]:
    """When each of a tenant's first `jobs` waiting jobs starts; none where nobody will take them.

    The same `seed` sees the same chances, so that a forecast moves only when the queue does.
    """
    served = standing.free_workers or any(job.worker_stays for job in standing.busy)
    if not served or not any(line.tenant_id == tenant_id and line.limit > 0 for line in standing.lines):
        return []
    chance = random.Random(seed)
    rounds: list[list[float]] = []
    claims = 0
    while len(rounds) < ROUNDS and (claims < MOST_CLAIMS or len(rounds) < _FEWEST_ROUNDS):
        course = _Round(standing, chance)
        rounds.append(course.starts(tenant_id, jobs))
        claims += course.claims
    return [_between(of_job) for of_job in zip(*rounds, strict=True)]


def _between(seconds: Sequence[float]) -> Start:
    # One more round would last longer than all of twenty once in twenty-one times.
    return Start(likely=median(seconds), late=max(seconds))


@dataclass(slots=True)
class _Tenant:
    """A line as a round moves it on."""

    line: Line
    running: int
    turn: int
    # Seconds from now; negative where it was before.
    last_claim: float
    taken: int = 0
    arrived: list[float] = field(default_factory=list)

    @property
    def waits(self) -> bool:
        return self.taken < len(self.line.waiting) + len(self.arrived)

    @property
    def place(self) -> tuple[int, float, str]:
        # As `fairness.in_turn` orders tenants.
        return self.turn, self.last_claim, self.line.tenant_id

    def claim(self, now: float) -> float:
        """Take its next job; gives the seconds expected of it."""
        known = len(self.line.waiting)
        expected = self.line.waiting[self.taken] if self.taken < known else self.arrived[self.taken - known]
        self.taken += 1
        self.running += 1
        self.turn += stride(self.line.weight)
        self.last_claim = now
        return expected


class _Round:
    """One possible course of events."""

    def __init__(self, standing: Standing, chance: random.Random) -> None:
        self.spread, self.chance = standing.spread, chance
        self.tenants = {
            line.tenant_id: _Tenant(line, line.running, line.turn, -line.last_claim)
            for line in standing.lines
        }
        self.free, self.virtual_time = standing.free_workers, standing.virtual_time
        self.now, self.claims = 0.0, 0
        # Tenants that may start a job, whose turn it is first.
        self.turns = [
            one.place for one in self.tenants.values() if one.waits and one.running < one.line.limit
        ]
        # What happens next: (when, whose, seconds of the job that arrives or 0 where one ends, worker freed).
        self.events = [
            (chance.choice(job.left), job.tenant_id, 0.0, job.worker_stays) for job in standing.busy
        ]
        # What came lately comes again, from any point on, in half the time or up to twice as long.
        haste = chance.uniform(*_HASTE)
        self.window = standing.window / haste
        shift = chance.random() * standing.window
        self.events += [
            ((shift - job.ago) % standing.window / haste, job.tenant_id, job.expected, False)
            for job in standing.arrivals
        ]
        heapq.heapify(self.turns)
        heapq.heapify(self.events)

    def starts(self, tenant_id: str, jobs: int) -> list[float]:
        """Seconds until each of the tenant's next jobs starts."""
        found: list[float] = []
        while len(found) < jobs and self.claims < MOST_CLAIMS // _FEWEST_ROUNDS:
            if not (self.free and self.turns):
                self._go_on()
            elif self._claim() == tenant_id:
                found.append(self.now)
        # The far end of a very long queue goes on at the pace of what was played.
        played = len(found)
        return found + [self.now * (place + 1) / max(1, played) for place in range(played, jobs)]

    def _claim(self) -> str:
        *_, tenant_id = heapq.heappop(self.turns)
        tenant = self.tenants[tenant_id]
        self.virtual_time = tenant.turn
        seconds = tenant.claim(self.now) * self.chance.choice(self.spread)
        heapq.heappush(self.events, (self.now + seconds, tenant_id, 0.0, True))
        self.free -= 1
        self.claims += 1
        if tenant.waits and tenant.running < tenant.line.limit:
            heapq.heappush(self.turns, tenant.place)
        return tenant_id

    def _go_on(self) -> None:
        """To the next end of a run, or the next arrival."""
        self.now, tenant_id, arriving, frees = heapq.heappop(self.events)
        self.free += frees
        tenant = self.tenants.get(tenant_id)
        if tenant is None:
            return
        waited = tenant.waits
        if arriving:
            heapq.heappush(self.events, (self.now + self.window, tenant_id, arriving, False))
            if not waited and not tenant.running:
                tenant.turn = arrival(tenant.turn, self.virtual_time)
            tenant.arrived.append(arriving)
            may_start_again = not waited and tenant.running < tenant.line.limit
        else:
            tenant.running -= 1
            may_start_again = waited and tenant.running == tenant.line.limit - 1
        if may_start_again:
            heapq.heappush(self.turns, tenant.place)
