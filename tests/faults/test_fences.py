"""A run that takes too much ends alone and by name; nothing of it stays, nothing beside it suffers."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from services.training.process import launcher, watch
from services.training.process.fences import Limits
from services.training.process.folder import RunFolder
from services.training.process.launcher import Crashed, Failed, Run, Succeeded
from tests.faults.hogs import MB
from tests.services.training.process.test_launcher import is_alive, wait_for
from tests.services.training.tiny import create_base_model, create_run

AMPLE = Limits(memory=2_000 * MB, disk=500 * MB, processes=20)
PROMISED_SECONDS = 10


class HogRun(Run):
    module = "tests.faults.hogs"


def start(folder: Path, hog: str, limits: Limits = AMPLE) -> HogRun:
    folder.mkdir(exist_ok=True)
    (folder / "hog").write_text(hog)
    return HogRun(RunFolder(folder), limits)


def told(run: Run) -> str:
    file = run.folder.path / "told"
    wait_for(lambda: (file.exists() and file.read_text()) or run.poll() is not None, seconds=30)
    return file.read_text()


HOGS = {
    "memory": ("run_memory_limit", "200 MB", Limits(memory=200 * MB, disk=500 * MB, processes=20)),
    "many_files": ("run_disk_limit", "20 MB", Limits(memory=2_000 * MB, disk=20 * MB, processes=20)),
    "one_file": ("run_disk_limit", "20 MB", Limits(memory=2_000 * MB, disk=20 * MB, processes=20)),
    "processes": ("run_process_limit", "10 processes", Limits(memory=2_000 * MB, disk=20 * MB, processes=10)),
    "log": ("run_log_limit", "8 MB", Limits(memory=2_000 * MB, disk=500 * MB, processes=20, log=8 * MB)),
}


@pytest.mark.parametrize("hog", HOGS)
def test_promise_33_a_hog_is_ended_with_its_reason(tmp_path: Path, hog: str) -> None:
    code, says, limits = HOGS[hog]
    began = time.monotonic()

    with start(tmp_path / "hog", hog, limits) as run:
        outcome = run.outcome()

    assert isinstance(outcome, Failed), run.folder.log.read_text()[-2_000:]
    assert (outcome.code, outcome.whose) == (code, "data")
    assert says in outcome.message
    assert time.monotonic() - began < PROMISED_SECONDS
    assert not is_alive(run.pid)


def test_promise_33_a_run_beside_hogs_finishes_as_if_it_were_alone(tmp_path: Path) -> None:
    base_model = create_base_model(tmp_path / "base")
    alone, beside = (create_run(tmp_path / name, base_model) for name in ("alone", "beside"))
    with launcher.start(alone.path, limits=AMPLE) as run:
        expected = run.outcome()

    with launcher.start(beside.path, limits=AMPLE) as run:
        for hog in ("memory", "processes"):
            with start(tmp_path / hog, hog, HOGS[hog][2]) as hogging:
                assert isinstance(hogging.outcome(), Failed)
        outcome = run.outcome()

    assert isinstance(expected, Succeeded)
    assert isinstance(outcome, Succeeded)
    timeless = {"seconds": {}}
    assert outcome.report.model_copy(update=timeless) == expected.report.model_copy(update=timeless)


def test_a_real_run_is_held_to_its_memory(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", create_base_model(tmp_path / "base"))

    with launcher.start(folder.path, limits=Limits(memory=50 * MB, disk=500 * MB, processes=20)) as run:
        outcome = run.outcome()

    assert isinstance(outcome, Failed)
    assert outcome.code == "run_memory_limit"


def test_a_run_that_will_not_end_is_ended(tmp_path: Path) -> None:
    with start(tmp_path / "hog", "deaf") as run:
        told(run)
        began = time.monotonic()
        run.kill()

    assert run.outcome() == Crashed(-signal.SIGKILL)
    assert time.monotonic() - began < PROMISED_SECONDS


def test_a_grandchild_that_left_its_family_ends_with_the_run(tmp_path: Path) -> None:
    with start(tmp_path / "hog", "grandparent") as run:
        grandchild = int(told(run))
        lived = is_alive(grandchild) and os.getsid(grandchild) != run.pid

    assert lived
    assert not is_alive(grandchild)


def test_a_child_ends_with_its_parent_even_where_nobody_ends_it(tmp_path: Path) -> None:
    with start(tmp_path / "hog", "parent") as run:
        child = int(told(run))
        lived = is_alive(child)
        os.kill(run.pid, signal.SIGKILL)

        wait_for(lambda: not is_alive(child), seconds=PROMISED_SECONDS)

    assert lived


# A worker that starts a run and is killed without a word.
WORKER = """
import sys, time
from pathlib import Path
from services.training.process.fences import Limits
from services.training.process.folder import RunFolder
from services.training.process.launcher import Run
Run.module = "tests.faults.hogs"
run = Run(RunFolder(Path(sys.argv[1])), Limits(memory=2**35, disk=2**30, processes=100))
time.sleep(120)
"""
ON_GPU = [pytest.mark.gpu, pytest.mark.skipif(shutil.which("nvidia-smi") is None, reason="no GPU")]


@pytest.mark.parametrize("hog", ["loaders", pytest.param("kernel", marks=ON_GPU)])
def test_promise_14_a_run_and_what_loads_its_data_die_with_their_worker(tmp_path: Path, hog: str) -> None:
    folder = tmp_path / "hog"
    folder.mkdir()
    (folder / "hog").write_text(hog)
    with subprocess.Popen([sys.executable, "-c", WORKER, str(folder)]) as worker:
        wait_for(lambda: (folder / "told").exists() and (folder / "told").read_text())
        processes = [int(process) for process in (folder / "told").read_text().split()]
        lived = all(is_alive(process) for process in processes)
        worker.kill()

    wait_for(lambda: not any(is_alive(process) for process in processes), seconds=5)

    assert lived
    assert not set(processes) & on_the_gpu()
    # The next job finds everything free.
    (folder / "told").unlink()
    with start(folder, hog, Limits(memory=2**35, disk=2**30, processes=100)) as heir:
        assert told(heir)


def on_the_gpu() -> set[int]:
    """The processes that hold a GPU's memory; none where there is no GPU."""
    if shutil.which("nvidia-smi") is None:
        return set()
    asked = ["nvidia-smi", "--query-compute-apps=pid", "--format=csv,noheader"]
    return {int(line) for line in subprocess.check_output(asked, text=True).splitlines() if line.strip()}


def test_a_run_that_its_worker_lost_ends_where_the_next_begins(tmp_path: Path) -> None:
    """A worker that is paused beyond its lease does not look after its run, which goes on in the folder."""
    with start(tmp_path / "hog", "deaf") as lost:
        told(lost)
        with start(tmp_path / "hog", "deaf") as heir:
            lived = is_alive(heir.pid)

            assert not is_alive(lost.pid)
            # When the first worker wakes up, it ends what it has started itself, and nothing else.
            assert heir.pid in watch.processes(heir.folder, of=os.getpid())
            assert watch.processes(heir.folder, of=os.getpid() + 1) == []

    assert lived


def test_a_run_reaches_no_network(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with start(tmp_path / "hog", f"network {port}") as run:
            namespace, host, world = told(run).split()

    if namespace == str(Path("/proc/self/ns/net").readlink()):
        # The kernel lets nobody leave the network here.
        assert (host, world) == ("reached", "PermissionError")
    else:
        assert "reached" not in (host, world)


def test_where_the_kernel_forbids_a_network_of_its_own_python_refuses_addresses() -> None:
    script = """
import socket, sys
from services.training.process.fences import refuse_the_network
server = socket.create_server(("127.0.0.1", 0))
sys.addaudithook(refuse_the_network)
socket.create_connection(server.getsockname()).close()
for reach in (
    lambda: socket.create_connection(("192.0.2.1", 80), timeout=1),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)),
    lambda: socket.getaddrinfo("example.com", 80),
    lambda: socket.create_server(("0.0.0.0", 0)),
):
    try:
        reach()
    except PermissionError:
        print("refused")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert done.stdout.split() == ["refused"] * 4, done.stderr


def test_a_run_gives_up_its_rights_and_sees_one_device(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2,3")

    with start(tmp_path / "hog", "rights") as run:
        rights = [line.split() for line in told(run).splitlines()]

    assert ["NoNewPrivs:", "1"] in rights
    assert ["Max", "core", "file", "size", "0", "0", "bytes"] in rights
    assert ["Max", "file", "size", str(AMPLE.disk), str(AMPLE.disk), "bytes"] in rights
    assert ["CUDA_VISIBLE_DEVICES", "2"] in rights
