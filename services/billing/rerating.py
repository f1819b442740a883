"""Rating a finalised invoice again, from the events of the ledger and the prices of its snapshot."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal

from sqlmodel import Session, col

from services.accounts.scope import Member, owned
from services.billing import monitor
from services.billing.drafting import known_until
from services.billing.invoicing import Draft
from services.billing.money import EXACT
from services.billing.snapshot import Snapshot
from services.billing.tables import Invoice
from services.metering.days import day_of
from services.metering.tables import UsageEvent
from services.metering.usage import Use

_AT_ONCE = 10_000


def differences(session: Session, member: Member, invoice: Invoice) -> list[str]:
    """What of an invoice its events and prices do not give again, in a sentence each."""
    shown = Snapshot.from_json(invoice.snapshot)
    return rerated(shown.draft, _uses(session, member, invoice, shown.time_zone))


def _uses(session: Session, member: Member, invoice: Invoice, zone: str) -> Iterator[Use]:
    """The single events that the invoice could know, added up by what lines are made of."""
    events = owned(UsageEvent, member).where(
        col(UsageEvent.at) >= invoice.period_start,
        col(UsageEvent.at) < invoice.period_end,
        col(UsageEvent.serial) <= known_until(session, member, invoice),
    )
    sums: dict[tuple[str, str, date, str], tuple[Decimal, int]] = defaultdict(lambda: (Decimal(0), 0))
    for event in session.exec(events.execution_options(yield_per=_AT_ONCE)):
        subject = event.job_id or event.model_version_id or ""
        place = event.meter, subject, day_of(event.at, zone), event.properties.get("device_class", "")
        quantity, count = sums[place]
        sums[place] = EXACT.add(quantity, event.quantity), count + 1
    for (meter, subject, day, device), (quantity, count) in sums.items():
        properties = {"device_class": device} if device else {}
        yield Use(
            meter=meter, subject=subject, day=day, quantity=quantity, events=count, properties=properties
        )


def rerated(figures: Draft, uses: Iterable[Use]) -> list[str]:
    """As `differences`, of an invoice's figures and the use of its period. Pure."""
    left = list(uses)
    wrong = []
    for line in figures.lines:
        own = [
            use
            for use in left
            if use.meter == line.meter
            and use.subject == line.subject
            and line.first_day <= use.day <= line.last_day
            and all(use.properties.get(name) == value for name, value in line.properties.items())
        ]
        left = [use for use in left if use not in own]
        quantity = sum((use.quantity for use in own), Decimal(0))
        again = line.model_copy(update={"quantity": quantity}).rated()
        if quantity != line.quantity or again != line.amount:
            wrong.append(
                f"The line “{line.title}” ({line.key}) says {line.quantity.normalize():f} for {line.amount}, "
                f"and its events come to {quantity.normalize():f} for {again}."
            )
    billed = {line.meter for line in figures.lines}
    wrong += [
        f"{use.quantity.normalize():f} of “{use.meter}” on {use.day} stand on no line."
        for use in left
        if use.meter in billed and use.quantity
    ]
    return wrong + monitor.of_figures(figures)
