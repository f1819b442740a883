"""How well the expected start of a waiting job is told, over simulated days.

    python -m benchmarks.forecast [--seed 1] [--days 2]

A day of arrivals from a dozen workspaces of different size, some jobs one by one and some by the handful,
more at noon than at night. Claims are made by the queue's own rule (services/jobs/fairness.py). What a run
takes is drawn around its quote, a few fail early; the forecast knows quotes, finished runs, what training
runs tell of their end and who came lately, as the product does. Each job is foretold once, when it is
submitted.
"""

import argparse
import heapq
import math
import random
import statistics
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from services.jobs import fairness
from services.jobs.forecast import Arrival, Busy, Line, Standing, Start, predict
from services.jobs.pace import Pace, pace

DAY_SECONDS = 24 * 3600
WORKERS = 4
TENANTS = 12
LIMIT = 2
HISTORY = 100
WINDOW_SECONDS = 3600.0
# Share of the workers' time that is asked for, over the whole day.
LOADS = (0.5, 0.75, 0.95)
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(order=True)
class Job:
    tenant: str
    quoted: float
    # What the run will take, which nobody knows.
    seconds: float
    submitted: float
    started: float = 0.0
    foretold: Start | None = None
    by_rule_of_thumb: float = 0.0


@dataclass
class Tenant:
    name: str
    weight: int
    turn: int = 0
    last_claim: float | None = None
    running: int = 0
    waiting: deque[Job] = field(default_factory=deque)


class Day:
    """Arrivals, claims and ends, one after the other."""

    def __init__(self, load: float, seed: int) -> None:
        self.chance = random.Random(seed)
        self.tenants = {f"t{number}": Tenant(f"t{number}", 1 + number % 2) for number in range(TENANTS)}
        self.running: dict[int, Job] = {}
        self.history: deque[tuple[str, float]] = deque(maxlen=HISTORY)
        self.virtual_time = 0
        self.submitted: deque[Job] = deque(maxlen=500)
        self.done: list[Job] = []
        # (when, number of the claim that ends then or 0 for an arrival, the job), earliest first.
        self.events = [(job.submitted, 0, job) for job in self._arrivals(load)]
        heapq.heapify(self.events)
        self.claims = count(1)

    def _arrivals(self, load: float) -> Iterator[Job]:
        """Jobs in bursts, until they ask for that share of the workers' time."""
        asked = 0.0
        names = list(self.tenants)
        shares = [1 / (place + 1) for place in range(TENANTS)]
        while asked < load * WORKERS * DAY_SECONDS:
            at = DAY_SECONDS * min(1.0, max(0.0, self.chance.gauss(0.55, 0.2)))
            tenant = self.chance.choices(names, shares)[0]
            for _ in range(self.chance.choice((1, 1, 1, 2, 6))):
                quoted = min(7200.0, max(30.0, self.chance.lognormvariate(math.log(400), 0.9)))
                seconds = quoted * min(1.1, self.chance.lognormvariate(math.log(0.4), 0.45))
                if self.chance.random() < 0.04:
                    seconds *= self.chance.random()
                asked += seconds
                yield Job(tenant, quoted, seconds, submitted=at)

    def play(self) -> list[Job]:
        while self.events:
            now, claim, job = heapq.heappop(self.events)
            if claim:
                del self.running[claim]
                self.tenants[job.tenant].running -= 1
                self.history.append(("cpu", (now - job.started) / job.quoted))
                self.done.append(job)
            else:
                self._submit(job, now)
            self._claim(now)
        return self.done

    def _submit(self, job: Job, now: float) -> None:
        tenant = self.tenants[job.tenant]
        if not tenant.waiting and not tenant.running:
            tenant.turn = fairness.arrival(tenant.turn, self.virtual_time)
        tenant.waiting.append(job)
        self.submitted.append(job)
        speed = pace(self.history)
        ours = len(tenant.waiting)
        job.foretold = predict(
            self._standing(speed, now, job.tenant), tenant_id=job.tenant, jobs=ours, seed=job.tenant
        )[-1]
        free = WORKERS - len(self.running)
        ahead = sum(len(one.waiting) for one in self.tenants.values()) - 1
        usual = statistics.fmean(speed.expected(one.quoted, "cpu") for one in self._open())
        job.by_rule_of_thumb = 0.0 if ahead < free else (ahead - free + 1) * usual / WORKERS

    def _open(self) -> Iterator[Job]:
        yield from self.running.values()
        for tenant in self.tenants.values():
            yield from tenant.waiting

    def _standing(self, speed: Pace, now: float, of: str) -> Standing:
        lately = [job for job in self.submitted if job.tenant != of and now - job.submitted < WINDOW_SECONDS]
        lines = [
            Line(
                tenant_id=one.name,
                turn=one.turn,
                weight=one.weight,
                limit=LIMIT,
                last_claim=math.inf if one.last_claim is None else now - one.last_claim,
                running=one.running,
                # As the product asks the database: how many, and their mean.
                waiting=[_mean(speed, one.waiting)] * len(one.waiting),
            )
            for one in self.tenants.values()
            if one.waiting or any(job.tenant == one.name for job in lately)
        ]
        busy = [Busy(job.tenant, self._left(job, speed, now)) for job in self.running.values()]
        arrivals = [
            Arrival(job.tenant, now - job.submitted, speed.expected(job.quoted, "cpu")) for job in lately
        ]
        return Standing(
            lines,
            busy,
            WORKERS - len(self.running),
            speed.spread,
            self.virtual_time,
            arrivals,
            WINDOW_SECONDS,
        )

    def _left(self, job: Job, speed: Pace, now: float) -> list[float]:
        elapsed = now - job.started
        if elapsed > 0.2 * job.seconds:
            return [(job.seconds - elapsed) * self.chance.lognormvariate(0, 0.2)]
        return speed.left(speed.expected(job.quoted, "cpu"), elapsed)

    def _claim(self, now: float) -> None:
        while len(self.running) < WORKERS:
            waiting = [
                fairness.Waiting(one.name, one.turn, _instant(one.last_claim), one.running, LIMIT)
                for one in self.tenants.values()
                if one.waiting
            ]
            in_turn = fairness.in_turn(waiting)
            if not in_turn:
                return
            tenant = self.tenants[in_turn[0]]
            job = tenant.waiting.popleft()
            job.started = now
            self.virtual_time = tenant.turn
            tenant.turn += fairness.stride(tenant.weight)
            tenant.last_claim = now
            tenant.running += 1
            self.running[next(self.claims)] = job
            heapq.heappush(self.events, (now + job.seconds, max(self.running), job))


def _mean(speed: Pace, jobs: deque[Job]) -> float:
    return statistics.fmean(speed.expected(job.quoted, "cpu") for job in jobs) if jobs else 0.0


def _instant(seconds: float | None) -> datetime | None:
    return None if seconds is None else _EPOCH + timedelta(seconds=seconds)


def row(load: float, days: int, seed: int) -> str:
    """Figures of some days with the same load: of jobs that did not start at once."""
    done = [job for day in range(days) for job in Day(load, seed + day).play()]
    waited = [job for job in done if job.started > job.submitted]
    waits = [job.started - job.submitted for job in waited]
    errors = [abs(job.foretold.likely - wait) for job, wait in zip(waited, waits, strict=True)]
    rough = [abs(job.by_rule_of_thumb - wait) for job, wait in zip(waited, waits, strict=True)]
    in_time = sum(wait <= job.foretold.late for job, wait in zip(waited, waits, strict=True))
    minutes = [f"{statistics.median(seconds) / 60:.1f}" for seconds in (waits, errors, rough)]
    shares = [f"{len(waited) / len(done):.0%}", *minutes, f"{in_time / len(waited):.0%}"]
    return f"| {load:.0%} | {len(done):,} | {' | '.join(shares)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=2)
    given = parser.parse_args()
    print("| load | jobs | waited | median wait | median error | of the rule of thumb | before late |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for load in LOADS:
        print(row(load, given.days, given.seed))


if __name__ == "__main__":
    main()
