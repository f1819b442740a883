"""Going on with half as much at once where the memory did not suffice; a run does so once."""

import torch
from torch import Tensor


def is_exhausted(error: BaseException) -> bool:
    """Whether it says that memory could not be had, of a GPU or of the host."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def halves(inputs: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    """Both halves of a batch's rows; the whole where it has a single one."""
    rows = len(inputs["input_ids"])
    if rows == 1:
        return [inputs]
    middle = (rows + 1) // 2
    return [
        {name: tensor[part] for name, tensor in inputs.items()}
        for part in (slice(middle), slice(middle, rows))
    ]
