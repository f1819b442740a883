"""What a caller may ask: the bundle of an invoice, and whether it is right."""

from collections.abc import Iterator
from datetime import timedelta
from tempfile import TemporaryFile
from typing import IO

from sqlalchemy import func
from sqlmodel import Session, col

from services.accounts.scope import Member, Role, owned
from services.billing import service as billing
from services.billing.notes import notes_of
from services.billing.snapshot import Snapshot
from services.errors import Conflict
from services.ledger import sealing
from services.metering.cloudevents import line
from services.metering.days import midnight
from services.metering.tables import UsageEvent
from services.proof import bundle, gathering
from services.proof.bundle import Block
from services.proof.terms import Terms
from services.proof.verify import Verdict, verify


class NotFinalised(Conflict):
    """A draft changes as use arrives, so there is nothing yet to hold it to."""

    code = "not_finalised"

    def __init__(self) -> None:
        super().__init__(
            "This month is a draft: its bundle is made when it is closed. Open its lines to see their events "
            "meanwhile."
        )


def export(session: Session, member: Member, *, reference: str, into: IO[bytes]) -> None:
    """Write the bundle of a finalised invoice into a file.

    Raises:
        NotFound: the reference is neither a month nor an invoice of this workspace.
        NotFinalised: it is a draft.
    """
    member.require(Role.billing)
    snapshot = billing.statement(session, member, reference=reference)
    if snapshot.ledger is None:
        raise NotFinalised
    headers = [block.header for block in sealing.blocks(session, member, until=snapshot.ledger.blocks)]
    invoice = billing.invoice(session, member, number_or_id=snapshot.number or reference)
    taken_back = notes_of(session, member, invoice)
    terms = gathering.terms(session, member, invoice)
    blocks = _blocks(session, member, snapshot, terms)
    bundle.write(into, snapshot, member.tenant_id, headers, blocks, notes=taken_back, terms=terms)


def check(session: Session, member: Member, *, reference: str) -> Verdict:
    """Rate an invoice anew from its events and check their seals, exactly as its bundle lets anybody do.

    Raises:
        NotFound: the reference is neither a month nor an invoice of this workspace.
        NotFinalised: it is a draft.
    """
    with TemporaryFile() as file:
        export(session, member, reference=reference, into=file)
        with bundle.opened(file) as opened:
            return verify(opened)


def _blocks(session: Session, member: Member, snapshot: Snapshot, terms: Terms) -> Iterator[Block]:
    """The blocks with events of the invoice's period and of what it corrects, and whatever is between."""
    assert snapshot.ledger is not None
    first_day = min((snapshot.first_day, *(earlier.first_day for earlier in terms.earlier)))
    begin = midnight(first_day, snapshot.time_zone)
    end = midnight(snapshot.last_day + timedelta(days=1), snapshot.time_zone)
    at, serial = col(UsageEvent.at), col(UsageEvent.serial)
    within = owned(UsageEvent, member).where(at >= begin, at < end)
    first, last = session.execute(within.with_only_columns(func.min(serial), func.max(serial))).one()
    if first is None:
        return
    after = 0
    for sealed in sealing.blocks(session, member, until=snapshot.ledger.blocks):
        if first <= sealed.last_serial and after < last:
            leaves = [sealed.leaves[at : at + 32] for at in range(0, len(sealed.leaves), 32)]
            stretch = sealing.events(session, member, after=after, until=sealed.last_serial)
            yield Block(sealed.header, [line(event) for event in stretch], leaves)
        after = sealed.last_serial
