"""Checks of figures: is every line what its events come to, and every sum the sum of its parts?"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from services.billing.addition import wrong_sums
from services.billing.invoicing import Draft, Line
from services.billing.money import EXACT, Money, rounded, total
from services.billing.pricing import adjustment, free_part, rate
from services.billing.snapshot import Snapshot
from services.proof.fault import Fault, Wrong


@dataclass
class _Counted:
    quantity: Decimal = Decimal(0)
    events: int = 0


@dataclass
class Recount:
    """The events of an invoice, added up line by line."""

    snapshot: Snapshot
    # Events of the period that no line counts: of meters that the plan includes.
    included: int = 0
    _counted: dict[str, _Counted] = field(default_factory=lambda: defaultdict(_Counted))
    _lines: dict[tuple[str, str], list[Line]] = field(default_factory=lambda: defaultdict(list))
    _days: dict[str, date] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._zone = ZoneInfo(self.snapshot.time_zone)
        for line in self.snapshot.draft.lines:
            self._lines[line.meter, line.subject].append(line)

    def add(self, event: dict[str, Any]) -> Fault | None:
        """Count an event, as its line of the ledger has it."""
        data = event["data"]
        day = self.day(event["time"])
        lines = [
            line
            for line in self._lines.get((data["meter"], event.get("subject", "")), ())
            if line.first_day <= day <= line.last_day
            and line.properties.items() <= data.get("properties", {}).items()
        ]
        if len(lines) > 1:
            return Fault(Wrong.line, str(event["id"]), f"{len(lines)} lines count this event")
        for line in lines:
            counted = self._counted[line.key]
            counted.quantity = EXACT.add(counted.quantity, Decimal(data["quantity"]))
            counted.events += 1
        if not lines and self.snapshot.first_day <= day <= self.snapshot.last_day:
            self.included += 1
        return None

    def day(self, time: str) -> date:
        """The day of the invoice's calendar that an instant lies in."""
        # Every clock of the world is off by whole minutes, so a minute lies within one day.
        minute = time[:16]
        if minute not in self._days:
            self._days[minute] = datetime.fromisoformat(time).astimezone(self._zone).date()
        return self._days[minute]

    def faults(self) -> Iterator[Fault]:
        """Lines that are not what their events and prices come to, in their order."""
        before: dict[tuple[str, int, str], Decimal] = defaultdict(Decimal)
        for line in self.snapshot.draft.lines:
            counted = self._counted[line.key]
            scale = line.plan, line.plan_version, line.price_key
            told = {
                "events": (line.events, counted.events),
                "quantity": (line.quantity, counted.quantity),
                "quantity before it": (line.before, before[scale]),
                "free quantity": (line.free, free_part(line.price, line.before, line.quantity)),
                "amount": (line.amount, line.rated()),
            }
            for what, (said, found) in told.items():
                if said != found:
                    sentence = f"its {what} is {said}, and its events and price come to {found}"
                    yield Fault(Wrong.line, f"line {line.key}", sentence)
            before[scale] = EXACT.add(before[scale], line.quantity)


def of_sums(draft: Draft) -> Iterator[Fault]:
    """Figures that are not the sums of what stands above them, and charges that do not follow from prices."""
    yield from _of_charges(draft)
    for what, said, found in wrong_sums(draft):
        yield Fault(Wrong.sum, what, f"it is {said}, and comes to {found}")


def _of_charges(draft: Draft) -> Iterator[Fault]:
    """Charges that are not what the prices of the lines ask for."""
    by_price: dict[str, list[Line]] = defaultdict(list)
    for line in draft.lines:
        edition = line.key.removeprefix(f"{line.price_key}:").partition(":")[0]
        by_price[f"{line.price_key}:{edition}"].append(line)
    charged: dict[str, Money] = defaultdict(lambda: Money.zero(draft.currency))
    for charge in draft.charges:
        if charge.is_of_price:
            charged[charge.key.partition(":")[2]] += charge.amount
    for price, lines in by_price.items():
        base = rounded(rate(lines[0].price, Decimal(0)), draft.currency)
        used = total((line.amount for line in lines), draft.currency)
        due = base + adjustment(lines[0].price, used + base)
        if charged[price] != due:
            sentence = f"they are {charged[price]}, and the price asks for {due}"
            yield Fault(Wrong.sum, f"charges of {price}", sentence)


def read_event(record: bytes) -> dict[str, Any]:
    """A record of the ledger as what it says.

    Raises:
        ValueError: it says nothing.
    """
    event = json.loads(record)
    if not isinstance(event, dict) or not isinstance(event.get("data"), dict):
        raise ValueError("not an event")  # noqa: TRY004
    return event
