"""Whoever can write to the database, past its triggers, is found out."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlmodel import Session, col

from services.accounts.scope import Member
from services.ledger import sealing
from services.metering.tables import UsageEvent
from services.proof import service as proof
from services.proof.fault import Wrong
from tests import factories
from tests.services.proof.test_verify import create_invoice


@pytest.fixture
def number(session: Session, member: Member, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sealing, "BLOCK", 8)
    made = create_invoice(session, member)
    without_triggers(session)
    return made


def without_triggers(session: Session) -> None:
    if session.get_bind().dialect.name == "sqlite":
        for change in ("update", "delete"):
            session.execute(text(f"DROP TRIGGER usage_event_no_{change}"))
    else:
        session.execute(text("DROP FUNCTION usage_event_only_grows() CASCADE"))


def event(session: Session, member: Member, place: int) -> UsageEvent:
    mine = select(UsageEvent).where(col(UsageEvent.tenant_id) == member.tenant_id)
    return session.execute(mine.order_by(col(UsageEvent.serial)).offset(place).limit(1)).scalar_one()


def edit(session: Session, member: Member) -> None:
    one = col(UsageEvent.serial) == event(session, member, 8).serial
    session.execute(update(UsageEvent).where(one).values(quantity=Decimal(7)))


def remove(session: Session, member: Member) -> None:
    session.execute(delete(UsageEvent).where(col(UsageEvent.serial) == event(session, member, 8).serial))


def add(session: Session, member: Member) -> None:
    """In the place of an event of another workspace."""
    twin = event(session, member, 8).model_dump()
    others = col(UsageEvent.tenant_id) != member.tenant_id
    serial = session.execute(select(col(UsageEvent.serial)).where(others)).scalar_one()
    session.execute(delete(UsageEvent).where(others))
    session.execute(insert(UsageEvent).values(**(twin | {"serial": serial, "id": "invented"})))


def swap(session: Session, member: Member) -> None:
    one, other = event(session, member, 8), event(session, member, 9)
    serials = one.serial, other.serial
    for serial, to in ((serials[0], -1), (serials[1], serials[0]), (-1, serials[1])):
        session.execute(update(UsageEvent).where(col(UsageEvent.serial) == serial).values(serial=to))


def give_away(session: Session, member: Member) -> None:
    other = factories.create_member(session).tenant_id
    one = col(UsageEvent.serial) == event(session, member, 8).serial
    session.execute(update(UsageEvent).where(one).values(tenant_id=other))


@pytest.mark.parametrize(
    ("tamper", "wrong"),
    [
        (edit, Wrong.edited),
        (remove, Wrong.missing),
        (add, Wrong.inserted),
        (swap, Wrong.reordered),
        (give_away, Wrong.missing),
    ],
)
def test_a_change_past_the_triggers_is_named(
    session: Session, member: Member, number: str, tamper: Callable[[Session, Member], None], wrong: Wrong
) -> None:
    assert proof.check(session, member, reference=number).is_right

    tamper(session, member)
    session.expire_all()

    first = proof.check(session, member, reference=number).faults[0]
    assert (first.wrong, "record " in first.place) == (wrong, True)
