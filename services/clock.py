"""The one place that knows what time it is."""

from datetime import UTC, datetime, timedelta

_offset = timedelta()


def now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC) + _offset


def offset() -> timedelta:
    """How far this process's clock was moved from the host's; zero outside tests."""
    return _offset


def move(by: timedelta) -> None:
    """Move this process's clock, as a test does to let a lease run out."""
    global _offset
    _offset += by
