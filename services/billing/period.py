"""The months of invoices, cut in a tenant's time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.errors import Invalid
from services.metering.days import midnight


class UnknownMonth(Invalid):
    """Not a month."""

    code = "unknown_month"

    def __init__(self, text: str) -> None:
        super().__init__(f"“{text}” is not a month. Write it as year and month, for example 2026-11.")
        self.text = text


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month; written 2026-11."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (1 <= self.month <= 12 and 2000 <= self.year <= 9998):
            raise UnknownMonth(f"{self.year}-{self.month}")

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Read 2026-11.

        Raises:
            UnknownMonth: it says something else.
        """
        year, dash, month = text.partition("-")
        if not (dash and year.isdecimal() and month.isdecimal() and len(year) == 4 and len(month) == 2):
            raise UnknownMonth(text)
        return cls(int(year), int(month))

    @classmethod
    def of(cls, instant: datetime, zone: str) -> "Month":
        """The month that an instant falls in, on the wall clock of a zone."""
        local = instant.astimezone(ZoneInfo(zone))
        return cls(local.year, local.month)

    @classmethod
    def at(cls, day: date) -> "Month":
        """The month that a day lies in."""
        return cls(day.year, day.month)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.next.first - timedelta(days=1)

    @property
    def middle(self) -> datetime:
        """An instant that lies in it on the clock of every zone."""
        return datetime(self.year, self.month, 15, tzinfo=UTC)

    @property
    def next(self) -> "Month":
        """The month after."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def previous(self) -> "Month":
        """The month before."""
        return Month(self.year - (self.month == 1), (self.month - 2) % 12 + 1)

    def plus(self, months: int) -> "Month":
        """The month so many months later."""
        count = self.year * 12 + self.month - 1 + months
        return Month(count // 12, count % 12 + 1)

    def start(self, zone: str) -> datetime:
        """The instant at which it begins in a zone."""
        return midnight(self.first, zone)

    def end(self, zone: str) -> datetime:
        """The instant at which it is over in a zone, itself outside."""
        return midnight(self.next.first, zone)
