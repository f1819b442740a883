"""What this run computes on."""

import os
import platform
import random
import resource
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
import torch

from services.training.process import fences
from services.training.process.fences import Limits

# A run maps more memory than it fills, so what it may map is this many times what it may fill.
_MAPPED = 1.5


@dataclass(frozen=True)
class Machine:
    """The device, and whether bfloat16 is faster on it than float32."""

    device: torch.device
    bf16: bool
    # As a report names it: the GPU's name, or the processor and the cores used of it.
    name: str

    def autocast(self) -> AbstractContextManager[object]:
        """Compute in bfloat16 where that is faster."""
        return torch.autocast(self.device.type, torch.bfloat16) if self.bf16 else nullcontext()


def cores(quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Processor cores to compute on: OMP_NUM_THREADS, or our affinity, or our container's quota if less."""
    if "OMP_NUM_THREADS" in os.environ:
        return int(os.environ["OMP_NUM_THREADS"])
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if quota.exists():
        share, period = quota.read_text().split()
        if share != "max":
            allowed = min(allowed, ceil(int(share) / int(period)))
    return max(1, allowed)


def here() -> Machine:
    """The GPU if there is one, otherwise the processor with as many threads as it has cores for us.

    Without bfloat16 instructions (AVX512-BF16 or AMX) a processor is three times slower in bfloat16 than in
    float32, so it is used only with them.
    """
    if torch.cuda.is_available():
        torch.set_float32_matmul_precision("high")
        return Machine(torch.device("cuda"), torch.cuda.is_bf16_supported(), torch.cuda.get_device_name())
    torch.set_num_threads(cores())
    capabilities = torch.cpu.get_capabilities()
    bf16 = any(capabilities.get(feature, False) for feature in ("avx512_bf16", "amx_bf16"))
    return Machine(torch.device("cpu"), bf16, f"{_processor()}, {cores()} cores")


def hold(machine: Machine, limits: Limits) -> None:
    """Have allocations fail that are far beyond the limits, because nobody could measure them in time.

    CUDA maps address space without end, so on a GPU only its own memory is held.
    """
    if machine.device.type == "cuda":
        torch.cuda.set_per_process_memory_fraction(limits.gpu_share)
    else:
        fences.lower(resource.RLIMIT_DATA, int(limits.memory * _MAPPED))


def seed_everything(seed: int) -> None:
    """Make chance repeatable."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()
