"""Several processes that live and die together."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from services.errors import Conflict, Unavailable

START_SECONDS = 90
_PROJECT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 15


class PortTaken(Conflict):
    """Another program listens where one of ours should."""

    code = "port_taken"

    def __init__(self, port: int, option: str) -> None:
        super().__init__(
            f"Port {port} is in use. End the program that has it, or choose another: {option} N."
        )


class ProcessDied(Unavailable):
    """One of the processes ended by itself."""

    code = "process_died"

    def __init__(self, name: str, log: Path) -> None:
        last = log.read_text(errors="replace").splitlines()[-15:] if log.exists() else []
        super().__init__("\n".join([f"The {name} stopped. The end of its log, {log}:", *last]))


@dataclass
class Together:
    """Child processes, each in its own process group with its own log."""

    logs: Path
    children: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: list[str]) -> None:
        """Start one under a name."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with self._log(name).open("ab") as log:
            self.children[name] = subprocess.Popen(  # noqa: S603
                command,
                # Where .streamlit/config.toml is, wherever the command was typed.
                cwd=_PROJECT if (_PROJECT / ".streamlit").is_dir() else None,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until_answering(self, name: str, address: str) -> None:
        """Go on when an address answers.

        Raises:
            ProcessDied: one of the processes ended, or this one did not answer in time.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            self.check()
            try:
                if httpx.get(address, timeout=2).is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.2)
        raise ProcessDied(name, self._log(name))

    def check(self) -> None:
        """Raise ProcessDied when one of them ended."""
        for name, child in self.children.items():
            if child.poll() is not None:
                raise ProcessDied(name, self._log(name))

    def stop(self) -> None:
        """End them all: politely, then by force."""
        for child in self.children.values():
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children.values():
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"


def require_free(port: int, option: str) -> None:
    """Go on only when nobody listens on a port of this machine.

    Raises:
        PortTaken: somebody does.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise PortTaken(port, option) from None


def tuneport(*words: str) -> list[str]:
    """The command line of one of our own commands, in this interpreter."""
    return [sys.executable, "-m", "services.cli", *words]
