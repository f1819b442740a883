"""A host's clock that is wrong, for the product's clock to read."""

from datetime import datetime, timedelta, tzinfo


def wrong_by(error: timedelta) -> type[datetime]:
    """What stands in for `datetime` in services/clock.py."""

    class WrongClock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + error

    return WrongClock
