"""Days of a tenant's calendar, cut in its time zone."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.errors import Invalid

# Questions by day reach over at most this many days.
LONGEST = 400


class UnusableDays(Invalid):
    """Not a stretch of days that can be asked about."""

    code = "unusable_days"

    def __init__(self, first: date, last: date) -> None:
        super().__init__(
            f"From {first} to {last} is no range of days. Begin before the end, and ask for at most "
            f"{LONGEST} days at once."
        )
        self.first, self.last = first, last


def midnight(day: date, zone: str) -> datetime:
    """The instant at which a day begins on the wall clock of a zone (IANA name)."""
    return datetime.combine(day, time(), ZoneInfo(zone))


def day_of(instant: datetime, zone: str) -> date:
    """The day of an instant on the wall clock of a zone."""
    return instant.astimezone(ZoneInfo(zone)).date()


def days(first: date, last: date) -> list[date]:
    """Every day from the first to the last, both included.

    Raises:
        UnusableDays: the last is before the first, or there are too many.
    """
    if not 0 <= (last - first).days < LONGEST:
        raise UnusableDays(first, last)
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
