"""How fast the API answers, beside what the bare engine computes on the same machine.

    python -m benchmarks.inference [--seconds 5] [--port 8690]

A real server in a process of its own, a model that a real job has trained on the sample data, requests as
programs send them: each is authenticated, checked against the credit, answered and recorded.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx

# Clients at once, texts in each request.
LOADS = ((1, 1), (8, 1), (32, 1), (1, 64), (4, 64))
WARM_UP_SECONDS = 1.0


@dataclass(frozen=True)
class Measured:
    what: str
    texts: int
    seconds: float
    # Of each request, in seconds.
    latencies: list[float]

    def row(self) -> str:
        ordered = sorted(self.latencies)
        p50, p99 = statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        requests = len(ordered) / self.seconds
        return (
            f"| {self.what:<38} | {requests:>10.1f} | {requests * self.texts:>8.0f} "
            f"| {p50 * 1000:>7.1f} | {p99 * 1000:>7.1f} |"
        )


def repeat(clients: int, seconds: float, ask: Callable[[int], None]) -> tuple[float, list[float]]:
    """Ask over and over from several threads; gives the time and the latencies after the warm-up."""
    latencies: list[float] = []
    numbers, lock = count(), threading.Lock()
    ask(0)  # the first of all loads the version
    begin = time.perf_counter() + WARM_UP_SECONDS
    end = begin + seconds

    def client() -> None:
        while (asked := time.perf_counter()) < end:
            with lock:
                number = next(numbers)
            ask(number)
            answered = time.perf_counter()
            if asked >= begin and answered <= end:
                latencies.append(answered - asked)

    with ThreadPoolExecutor(clients) as pool:
        for future in [pool.submit(client) for _ in range(clients)]:
            future.result()
    return seconds, latencies


@contextmanager
def server(port: int) -> Iterator[str]:
    command = [sys.executable, "-m", "uvicorn", "services.api.app:app", "--port", str(port)]
    process = subprocess.Popen([*command, "--log-level", "warning"])
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                httpx.get(f"{address}/healthz").raise_for_status()
                break
            except httpx.ConnectError:
                if process.poll() is not None:
                    raise SystemExit("the server did not start") from None
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


def paying_workspace() -> str:
    """A workspace without the trial's limit; gives an API key."""
    from services import onboarding
    from services.accounts import keys
    from services.accounts.scope import Member, Role, Staff, StaffRole
    from services.billing import service as billing
    from services.db import transaction
    from services.migrations.upgrade import upgrade

    upgrade()
    with transaction() as db:
        tenant = onboarding.open_workspace(db, name="Benchmark", owner_email="owner@example.com")
        owner = Member(tenant_id=tenant.id, role=Role.owner)
        billing.end_trial(db, Staff(user_id="benchmark", role=StaffRole.admin), tenant_id=tenant.id)
        return keys.create_key(db, owner, name="benchmark")[1]


def train(http: httpx.Client) -> None:
    """Have a worker train `support` on the sample data."""
    from services.datasets.samples import SUPPORT_MESSAGES
    from services.worker import loop

    file = http.post(
        "/v1/files",
        files={"file": (SUPPORT_MESSAGES.filename, SUPPORT_MESSAGES.read())},
        data={"purpose": "fine-tune"},
    )
    order = {
        "model": "all-MiniLM-L6-v2",
        "training_file": file.raise_for_status().json()["id"],
        "suffix": "support",
    }
    job = http.post("/v1/fine_tuning/jobs", json=order).raise_for_status().json()
    stop = threading.Event()
    worker = threading.Thread(target=loop.run, args=(stop,))
    worker.start()
    while job["status"] in {"queued", "running"}:
        time.sleep(0.5)
        job = http.get(f"/v1/fine_tuning/jobs/{job['id']}").raise_for_status().json()
    stop.set()
    worker.join()
    if job["status"] != "succeeded":
        raise SystemExit(f"the job ended {job['status']}: {job['error']}")


def texts_of_the_sample() -> list[str]:
    from services.datasets.detection import detect
    from services.datasets.examples import TextExample
    from services.datasets.reading import read
    from services.datasets.samples import SUPPORT_MESSAGES

    content = SUPPORT_MESSAGES.read()
    examples = read(content, detect(content)).examples
    return [example.text for example in examples if isinstance(example, TextExample)]


def over_http(address: str, key: str, texts: list[str], seconds: float) -> Iterator[Measured]:
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=64)
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=address, headers=headers, timeout=60, limits=limits) as http:
        train(http)
        for clients, size in LOADS:

            def ask(number: int, size: int = size) -> None:
                some = [texts[(number * size + place) % len(texts)] for place in range(size)]
                body = {"model": "support", "input": some if size > 1 else some[0]}
                http.post("/v1/predict", json=body).raise_for_status()

            what = f"API, {clients} × {size} text{'s' if size > 1 else ''}"
            yield Measured(what, size, *repeat(clients, seconds, ask))


def bare_engine(home: Path, texts: list[str], seconds: float) -> Iterator[Measured]:
    from services.inference import engine

    (folder,) = (path for path in (home / "cache" / "versions").iterdir() if path.is_dir())
    loaded = engine.load(folder)
    for size in (1, 64):

        def ask(number: int, size: int = size) -> None:
            loaded.predict([texts[(number * size + place) % len(texts)] for place in range(size)])

        what = f"engine alone, {size} text{'s' if size > 1 else ''} at a time"
        yield Measured(what, size, *repeat(1, seconds, ask))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--port", type=int, default=8690)
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        os.environ["TUNEPORT_HOME"] = folder
        key, texts = paying_workspace(), texts_of_the_sample()
        print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, {len(texts)} texts\n")
        print(f"| {'':<38} | requests/s |  texts/s |  p50 ms |  p99 ms |")
        print(f"|{'-' * 40}|{'-' * 12}|{'-' * 10}|{'-' * 9}|{'-' * 9}|")
        with server(arguments.port) as address:
            for measured in over_http(address, key, texts, arguments.seconds):
                print(measured.row(), flush=True)
        for measured in bare_engine(Path(folder), texts, arguments.seconds):
            print(measured.row(), flush=True)


if __name__ == "__main__":
    main()
