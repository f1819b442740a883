"""What this machine trains on. Asked in a process of its own, so that who asks never loads torch."""

import json
import subprocess
import sys
from dataclasses import dataclass

_QUESTION = """
import json, torch
if torch.cuda.is_available():
    print(json.dumps(["cuda", torch.cuda.get_device_name()]))
else:
    print(json.dumps(["cpu", f"{torch.get_num_threads()} threads"]))
"""


@dataclass(frozen=True)
class Device:
    """`kind` is cpu or cuda, as prices know it; `name` is for people."""

    kind: str
    name: str


def find() -> Device:
    """The device that a training run started here will use."""
    answer = subprocess.run(  # noqa: S603
        [sys.executable, "-c", _QUESTION], check=True, capture_output=True, text=True, timeout=120
    )
    kind, name = json.loads(answer.stdout.splitlines()[-1])
    return Device(kind, name)
