"""Runs that behave badly, each within bounds: `python -m tests.faults.hogs FOLDER`; the file `hog` says how.

Like a real run, a hog puts its fences up first. The file `told` holds what it has to tell.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from services.training.process import fences

MB = 2**20
LONG_SECONDS = 120


def memory(folder: Path) -> None:
    hoard = []
    for _ in range(40):
        hoard.append(bytearray(b"x") * (16 * MB))
        time.sleep(0.02)
    time.sleep(LONG_SECONDS)


def many_files(folder: Path) -> None:
    for number in range(40):
        (folder / f"part-{number}").write_bytes(b"x" * MB)
    time.sleep(LONG_SECONDS)


def one_file(folder: Path) -> None:
    with (folder / "whole").open("wb") as file:
        for _ in range(40):
            file.write(b"x" * MB)


def processes(folder: Path) -> None:
    for _ in range(30):
        if os.fork() == 0:
            break
    time.sleep(LONG_SECONDS)


def log(folder: Path) -> None:
    for _ in range(40):
        sys.stdout.write("x" * MB)
    time.sleep(LONG_SECONDS)


def network(folder: Path, port: str) -> None:
    came = []
    for address in (("127.0.0.1", int(port)), ("192.0.2.1", 80)):
        try:
            socket.create_connection(address, timeout=2).close()
            came.append("reached")
        except OSError as error:
            came.append(type(error).__name__)
    (folder / "told").write_text(" ".join([str(Path("/proc/self/ns/net").readlink()), *came]))


def deaf(folder: Path) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (folder / "told").write_text("deaf")
    time.sleep(LONG_SECONDS)


def parent(folder: Path) -> None:
    if (child := os.fork()) == 0:
        time.sleep(LONG_SECONDS)
    (folder / "told").write_text(str(child))
    time.sleep(LONG_SECONDS)


def loaders(folder: Path) -> None:
    """With two processes that load its data, as those of PyTorch do."""
    _told(folder, os.getpid(), _loader(), _loader())
    time.sleep(LONG_SECONDS)


def kernel(folder: Path) -> None:
    """The same, at work on a GPU without a pause."""
    children = _loader(), _loader()
    import torch

    matrix = torch.rand(8192, 8192, device="cuda")
    torch.cuda.synchronize()
    _told(folder, os.getpid(), *children)
    while True:
        matrix = (matrix @ matrix).softmax(0)


def _loader() -> int:
    if child := os.fork():
        return child
    time.sleep(LONG_SECONDS)
    sys.exit()


def _told(folder: Path, *processes: int) -> None:
    (folder / "told").write_text(" ".join(map(str, processes)))


def grandparent(folder: Path) -> None:
    """A grandchild that has left the group, the session and its parent."""
    leave = f"setsid sleep {LONG_SECONDS} >/dev/null 2>&1 & echo $!"
    told = subprocess.run(["/bin/sh", "-c", leave], capture_output=True, text=True, check=True).stdout
    (folder / "told").write_text(told)
    time.sleep(LONG_SECONDS)


def rights(folder: Path) -> None:
    parts = [Path("/proc/self/status").read_text(), Path("/proc/self/limits").read_text()]
    (folder / "told").write_text(
        "".join(parts) + f"CUDA_VISIBLE_DEVICES {os.environ['CUDA_VISIBLE_DEVICES']}"
    )


if __name__ == "__main__":
    fences.put_up()
    place = Path(sys.argv[1])
    name, *more = (place / "hog").read_text().split()
    globals()[name](place, *more)
