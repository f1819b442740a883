"""The real worker in a process of its own, which keeps its checkpoints in haste: `python -m … BASE_MODEL`."""

import sys
from pathlib import Path

from services.training.bases import catalogue
from services.training.quoting import device
from services.worker import keeping, loop

KEEP_SECONDS = 0.1

if __name__ == "__main__":
    base_model = Path(sys.argv[1])
    catalogue.resolve = lambda _name, _cache: base_model
    device.find = lambda: device.Device("cpu", "test")
    keeping.KEEP_SECONDS = KEEP_SECONDS
    loop.serve()
