"""What a worker may ask of a run under way, by an empty file in its folder."""

from typing import Literal

from services.training.process.folder import RunFolder

# A run's exit status when it was asked to pause; that of sysexits.h for "try again later".
PAUSED = 75

# Who has training end early: the customer, or the quote, beyond which nothing is billed.
StopReason = Literal["customer", "quote"]


class PauseAsked(Exception):
    """The run leaves off here, and goes on later from its last checkpoint."""


def heed_pause(folder: RunFolder) -> None:
    """Leave off where the worker has asked for a pause.

    Raises:
        PauseAsked: it has.
    """
    if folder.pause.exists():
        raise PauseAsked


def stopped_by(folder: RunFolder) -> StopReason:
    """Why a run was asked to stop."""
    return "quote" if folder.stop.exists() and folder.stop.read_text() == "quote" else "customer"
