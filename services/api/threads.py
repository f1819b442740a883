"""Where work runs that would hold up the event loop: few threads for whole files, many for predictions."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

# A file is held whole, several times over while it is decoded and split: this bounds the memory.
whole_files = ThreadPoolExecutor(max_workers=3, thread_name_prefix="file")
# They wait for a batch of the model far more than they compute.
predictions = ThreadPoolExecutor(max_workers=64, thread_name_prefix="predict")


async def run_in(pool: ThreadPoolExecutor, work: Callable[[], Result]) -> Result:
    """Run `work` in one of the pool's threads."""
    return await asyncio.get_running_loop().run_in_executor(pool, work)
