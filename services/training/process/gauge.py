"""What a run uses of its machine while it works."""

import os
import resource
from contextlib import suppress
from pathlib import Path
from time import monotonic, process_time

import torch

from services.training.machine import Machine, cores

_SECONDS_BETWEEN = 1.0
_MEGABYTE = 2**20


class Gauge:
    """Reads the device at most once a second; a reading covers the time since the one before."""

    def __init__(self, machine: Machine) -> None:
        self._cuda = machine.device.type == "cuda"
        self._read = (monotonic(), process_time())

    def __call__(self) -> dict[str, float]:
        """`cpu_percent` of the cores that the run may use, `memory_mb`; of a GPU its own as well.

        Empty where the last reading is younger than a second.
        """
        (before, worked), now = self._read, monotonic()
        if now - before < _SECONDS_BETWEEN:
            return {}
        self._read = now, process_time()
        found = {
            "cpu_percent": round(100 * (self._read[1] - worked) / (now - before) / cores(), 1),
            "memory_mb": round(_resident() / _MEGABYTE, 1),
        }
        if self._cuda:
            found["gpu_memory_mb"] = round(torch.cuda.memory_reserved() / _MEGABYTE, 1)
            # Asked of NVIDIA's library, whose Python package not every installation has.
            with suppress(ModuleNotFoundError, RuntimeError):
                found["gpu_percent"] = float(torch.cuda.utilization())
        return found


def _resident(statistics: Path = Path("/proc/self/statm")) -> int:
    """Bytes in memory now; where the system does not tell, the most that there were."""
    if statistics.exists():
        return int(statistics.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
