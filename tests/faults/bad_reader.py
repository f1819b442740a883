"""Stands where `services.datasets.apart` stands, shut in as that is, and does what a seized parser might."""

import ctypes
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from services.datasets.confinement import confine, forbid
from services.datasets.sandbox import ANSWER, CONTENT, OUT, REQUEST, Answer, Request


def hang() -> None:
    while True:
        pass


def hog_memory() -> None:
    _ = [bytearray(2**26) for _ in range(1_000)]


def fill_disk(folder: Path) -> None:
    with (folder / OUT / "big").open("wb") as file:
        while True:
            file.write(b"x" * 2**20)


def misbehave(folder: Path, deed: str) -> str:
    match deed:
        case "segfault":
            ctypes.string_at(0)
        case "abort":
            os.abort()
        case "hang":
            hang()
        case "sleep":
            time.sleep(3_600)
        case "hog":
            hog_memory()
        case "fill":
            fill_disk(folder)
        case "quote":
            raise ValueError("canary of a customer")
        case "silence":
            sys.exit(0)
        case "connect":
            socket.create_connection(("127.0.0.1", 80), timeout=1)
        case "spawn":
            subprocess.run(["/bin/true"], check=True)
        case "environment":
            return " ".join(sorted(os.environ))
        case "interfaces":
            return Path("/proc/net/dev").read_text()
        case "session":
            return str(os.getsid(0) == os.getpid())
    return "nothing happened"


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    request = Request.model_validate_json((folder / REQUEST).read_bytes())
    confine(request.allowance, request.parent)
    forbid()
    answer = Answer(result=misbehave(folder, (folder / CONTENT).read_text()))
    (folder / ANSWER).write_text(answer.model_dump_json(), "utf-8")
