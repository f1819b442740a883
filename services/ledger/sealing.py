"""Sealing: new events are hashed into blocks, apart from whoever records them."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import defer
from sqlmodel import Session, col

from services.accounts.scope import Member, Role, across, owned
from services.accounts.tables import Tenant
from services.ledger.block import Head, Header
from services.ledger.merkle import leaf, root
from services.ledger.tables import SealedBlock
from services.metering.cloudevents import line
from services.metering.recording import lock_of, settled
from services.metering.tables import UsageEvent

# Events in a block at most; its hashes then take 320 kB.
BLOCK = 10_000
_SEALING = b"tuneport sealing"


def unsealed(session: Session, *tenant_ids: str) -> list[str]:
    """The tenants, all or of these, with events that no seal covers yet."""
    newest = (
        across(UsageEvent)
        .with_only_columns(func.max(col(UsageEvent.serial)))
        .where(col(UsageEvent.tenant_id) == Tenant.id)
        .correlate(Tenant)
        .scalar_subquery()
    )
    sealed = (
        across(SealedBlock)
        .with_only_columns(func.max(col(SealedBlock.last_serial)))
        .where(col(SealedBlock.tenant_id) == Tenant.id)
        .correlate(Tenant)
        .scalar_subquery()
    )
    waiting = select(col(Tenant.id)).where(newest > func.coalesce(sealed, 0)).order_by(col(Tenant.id))
    if tenant_ids:
        waiting = waiting.where(col(Tenant.id).in_(tenant_ids))
    return list(session.execute(waiting).scalars())


def seal(session: Session, tenant_id: str, *, until: int, blocks: int | None = None) -> Head:
    """Seal a tenant's new events, so many blocks of them at most; gives the new end of its ledger.

    `until` is a serial that `recording.settled` gave, and bounds them. Whoever seals is alone at it.
    """
    owner = Member(tenant_id=tenant_id, role=Role.owner)
    lock_of(session, _SEALING, tenant_id)
    last = _last(session, owner)
    made, after = 0, last.last_serial if last else 0
    while after < until and (blocks is None or made < blocks):
        new = events(session, owner, after=after, until=until)
        if not new:
            break
        last = _sealed(tenant_id, new, last)
        session.add(last)
        session.flush()
        made, after = made + 1, last.last_serial
    return last.head if last else Head()


def seal_all(session: Session, tenant_id: str) -> Head:
    """Seal whatever a tenant has used so far, for an invoice that is to be closed now.

    From here to the end of the transaction nobody adds to its ledger: what is read next is what is sealed.
    """
    return seal(session, tenant_id, until=settled(session, tenant_id))


def head(session: Session, member: Member) -> Head:
    """The end of the member's ledger, as far as it is sealed."""
    last = _last(session, member)
    return last.head if last else Head()


def end_of(session: Session, member: Member, head: Head | None) -> int:
    """The serial of the last event that the member's ledger had at a head; 0 where it had none."""
    block = owned(SealedBlock, member).where(col(SealedBlock.number) == (head.blocks if head else 0))
    last = block.with_only_columns(col(SealedBlock.last_serial))
    return session.execute(last).scalar() or 0


def _last(session: Session, member: Member) -> SealedBlock | None:
    # Without its hashes, which are some hundred thousand bytes.
    newest_first = owned(SealedBlock, member).options(defer(SealedBlock.leaves))  # type: ignore[arg-type]
    return session.exec(newest_first.order_by(col(SealedBlock.number).desc()).limit(1)).one_or_none()


def events(session: Session, member: Member, *, after: int, until: int) -> Sequence[Row[Any]]:
    """The member's events with serials above `after`, up to `until`, in order: a block of them at most."""
    serial = col(UsageEvent.serial)
    ordered = owned(UsageEvent, member).where(serial > after, serial <= until).order_by(serial).limit(BLOCK)
    return session.execute(ordered.with_only_columns(*UsageEvent.__table__.columns)).all()  # type: ignore[attr-defined]


def _sealed(tenant_id: str, events: Sequence[Row[Any]], last: SealedBlock | None) -> SealedBlock:
    leaves = [leaf(line(event)) for event in events]
    before = last.head if last else Head()
    header = Header(
        tenant=tenant_id,
        number=before.blocks + 1,
        count=len(events),
        events=before.events + len(events),
        root=root(leaves).hex(),
        previous=before.hash,
    )
    return SealedBlock(
        tenant_id=tenant_id,
        number=header.number,
        count=header.count,
        events=header.events,
        root=header.root,
        previous=header.previous,
        hash=header.hash,
        last_serial=events[-1].serial,
        leaves=b"".join(leaves),
    )


def blocks(session: Session, member: Member, *, until: int) -> Iterator[SealedBlock]:
    """The member's blocks from the first to the number `until`, in order."""
    ordered = owned(SealedBlock, member).where(col(SealedBlock.number) <= until)
    yield from session.exec(ordered.order_by(col(SealedBlock.number)))
