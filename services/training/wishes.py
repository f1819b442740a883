"""What a worker may ask of a run under way, by an empty file in its folder."""

from services.training.folder import RunFolder

# A run's exit status when it was asked to pause; that of sysexits.h for "try again later".
PAUSED = 75


class PauseAsked(Exception):
    """The run leaves off here, and goes on later from its last checkpoint."""


def heed_pause(folder: RunFolder) -> None:
    """Leave off where the worker has asked for a pause.

    Raises:
        PauseAsked: it has.
    """
    if folder.pause.exists():
        raise PauseAsked
