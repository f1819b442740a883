"""What this machine trains on. Asked in a process of its own, so that who asks never loads torch."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import version

from services.training.process import fences
from services.training.quoting.speed import Speed, from_json

_QUESTION = """
import json, torch
if torch.cuda.is_available():
    print(json.dumps(["cuda", torch.cuda.get_device_name()]))
else:
    print(json.dumps(["cpu", f"{torch.get_num_threads()} threads"]))
"""
# What is measured; another word where that changes.
_MEASURED = "texts and chat"


@dataclass(frozen=True)
class Device:
    """`kind` is cpu or cuda, as prices know it; `name` is for people."""

    kind: str
    name: str


def versions() -> str:
    """What a measurement was made with: another version may be quicker or slower, or measure more."""
    return ", ".join([*(f"{name} {version(name)}" for name in ("torch", "transformers", "numpy")), _MEASURED])


class Measuring:
    """A process that measures the device while there is nothing else to do; it gives way to a job."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "services.training.quoting.measuring"],
            env={**os.environ, **fences.COMPUTING},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def speed(self) -> Speed | None:
        """What it has found; None while it works.

        Raises:
            ValueError: it ended without.
        """
        if self._process.poll() is None:
            return None
        told, _ = self._process.communicate()
        return from_json(json.loads(told.splitlines()[-1] if told else ""))

    def give_way(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def find() -> Device:
    """The device that a training run started here will use."""
    answer = subprocess.run(  # noqa: S603
        [sys.executable, "-c", _QUESTION], check=True, capture_output=True, text=True, timeout=120
    )
    kind, name = json.loads(answer.stdout.splitlines()[-1])
    return Device(kind, name)
