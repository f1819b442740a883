"""Why a run fails, in the customer's words."""

from typing import Literal

from services.errors import ServiceError

Whose = Literal["data", "ours"]


class RunFailed(ServiceError):
    """An expected end of a run without a model.

    `whose` is `data` where other data or another recipe would help, `ours` where it would not.
    """

    code = "run_failed"
    whose: Whose = "ours"


class DataDoesNotFit(RunFailed):
    """The splits cannot be learnt by the recipe."""

    code = "data_does_not_fit"
    whose: Whose = "data"


class TextsTooLong(RunFailed):
    """More tokens per row asked for than the base model reads."""

    code = "max_length_too_long"
    whose: Whose = "data"

    def __init__(self, asked: int, possible: int) -> None:
        super().__init__(
            f"The recipe asks for {asked} tokens per row, but this base model reads {possible} at most."
        )
        self.asked = asked
        self.possible = possible


class Diverged(RunFailed):
    """Training went wrong at a step; what was learned before it may be good."""

    code = "diverged"
    whose: Whose = "data"

    def __init__(self, step: int, sentence: str) -> None:
        super().__init__(sentence)
        self.step = step


class LossIsNotANumber(Diverged):
    """The loss, or its slope, became infinite or no number at all."""

    code = "nan_loss"

    def __init__(self, step: int, learning_rate: float) -> None:
        super().__init__(
            step,
            f"The loss stopped being a number at step {step}, with a learning rate of {learning_rate:g}. "
            "Try a tenth of that learning rate.",
        )


class LossRunsAway(Diverged):
    """The loss rose far above where it began, and stayed there."""

    code = "diverging_loss"

    def __init__(self, step: int, learning_rate: float, *, began: float, now: float) -> None:
        super().__init__(
            step,
            f"The loss rose from {began:.2f} to {now:.2f} by step {step} and did not come down again, with a "
            f"learning rate of {learning_rate:g}: the model was losing what it knew. "
            "Try a third of that learning rate, or a longer warm-up.",
        )


class OutOfMemory(RunFailed):
    """The device's memory did not suffice, nor did it for half as much at once."""

    code = "out_of_memory"
    whose: Whose = "data"

    def __init__(self, batch_size: int, max_length: int) -> None:
        super().__init__(
            f"The device ran out of memory with {batch_size} rows of up to {max_length} tokens at a time. "
            "A smaller batch size or maximum length would fit."
        )


class DoesNotFitMemory(RunFailed):
    """Not even one row at a time would fit the memory that a run may use; said before it starts."""

    code = "does_not_fit_memory"
    whose: Whose = "data"

    def __init__(self, needed: int, available: int, max_length: int) -> None:
        super().__init__(
            f"With rows of {max_length:,} tokens this base model needs about {_size(needed)} of memory, and "
            f"a run may use {_size(available)} here. Choose a smaller maximum length or a smaller base model."
        )


class TemplateDoesNotFit(RunFailed):
    """The base model's chat template cannot say a conversation of the data."""

    code = "chat_template_does_not_fit"
    whose: Whose = "data"

    def __init__(self, row: int, reason: str) -> None:
        super().__init__(
            f"The base model’s chat template does not take the conversation of row {row}: {reason}. "
            "Correct its roles, or choose another base model."
        )


class BaseModelUnreadable(RunFailed):
    """The base model's folder is missing or cannot be loaded."""

    code = "base_model_missing"

    def __init__(self) -> None:
        super().__init__(
            "The weights of the base model could not be read. This is our fault, not your data's."
        )


class LimitReached(RunFailed):
    """The run took more of its host than a run may, and was ended."""

    whose: Whose = "data"


class MemoryLimit(LimitReached):
    """More memory."""

    code = "run_memory_limit"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The run needed more than the {_size(limit)} of memory that a run may use, and was ended. "
            "Choose a smaller batch size, maximum length or base model, or fewer rows."
        )


class DiskLimit(LimitReached):
    """More space for files."""

    code = "run_disk_limit"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The run needed more than the {_size(limit)} of disk that a run may use, and was ended. "
            "Choose a smaller base model, or fewer rows."
        )


class ProcessLimit(LimitReached):
    """More processes."""

    code = "run_process_limit"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The run started more than the {limit} processes that a run may have, and was ended. "
            "Choose another base model, and tell us, because no recipe should need so many."
        )


class LogLimit(LimitReached):
    """A longer log."""

    code = "run_log_limit"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The run wrote more than {_size(limit)} of warnings, and was ended. "
            "Check the data for rows of an unusual kind, and tell us which they were."
        )


def _size(limit: int) -> str:
    """For example `16 GB` or `64 MB`."""
    return f"{limit / 2**30:.3g} GB" if limit >= 2**30 else f"{limit / 2**20:.3g} MB"
