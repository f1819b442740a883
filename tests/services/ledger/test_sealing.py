"""Seals cover every event once, in order, and each follows from the one before."""

import threading
from decimal import Decimal

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session, col, select

from services.accounts.scope import Member
from services.db import transaction
from services.ledger import sealing
from services.ledger.block import GENESIS, Head
from services.ledger.merkle import leaf, root
from services.ledger.tables import SealedBlock
from services.metering import service as metering
from services.metering.cloudevents import line
from services.metering.recording import settled
from services.metering.tables import UsageEvent
from tests import factories
from tests.services.metering.factories import predictions, training


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BLOCK", 4)


def seal(session: Session, member: Member) -> Head:
    return sealing.seal(session, member.tenant_id, until=settled(session, member.tenant_id))


def blocks(session: Session, member: Member) -> list[SealedBlock]:
    return list(sealing.blocks(session, member, until=1_000))


def test_every_event_is_sealed_once_and_in_order(session: Session, member: Member) -> None:
    metering.record(session, [predictions(member.tenant_id) for _ in range(6)])
    seal(session, member)
    metering.record(session, [training(member.tenant_id) for _ in range(3)])
    seal(session, member)

    mine = select(UsageEvent).where(UsageEvent.tenant_id == member.tenant_id)
    leaves = [leaf(line(event)) for event in session.exec(mine.order_by(col(UsageEvent.serial)))]
    sealed = blocks(session, member)
    assert [block.count for block in sealed] == [4, 2, 3]
    assert b"".join(block.leaves for block in sealed) == b"".join(leaves)
    assert [block.root for block in sealed] == [
        root(part).hex() for part in (leaves[:4], leaves[4:6], leaves[6:])
    ]


def test_each_block_follows_from_the_one_before(session: Session, member: Member) -> None:
    metering.record(session, [predictions(member.tenant_id) for _ in range(9)])
    head = seal(session, member)

    sealed = blocks(session, member)
    assert [block.previous for block in sealed] == [GENESIS, sealed[0].hash, sealed[1].hash]
    assert [block.hash for block in sealed] == [block.header.hash for block in sealed]
    assert head == sealing.head(session, member) == Head(blocks=3, events=9, hash=sealed[2].hash)


def test_nothing_new_is_no_block(session: Session, member: Member) -> None:
    assert seal(session, member) == sealing.seal_all(session, member.tenant_id) == Head()
    metering.record(session, [predictions(member.tenant_id)])

    assert sealing.unsealed(session) == [member.tenant_id]
    assert [seal(session, member).blocks for _ in range(2)] == [1, 1]
    assert sealing.unsealed(session) == []


def test_workspaces_have_chains_of_their_own(session: Session, member: Member) -> None:
    other = factories.create_member(session)
    same = {"request_id": "req_same", "model_version_id": "mv"}
    metering.record(session, [predictions(who.tenant_id, **same) for who in (member, other)])

    hashes = {seal(session, who).hash for who in (member, other)}

    assert len(hashes) == 2


def test_two_sealers_do_not_fork_the_chain(session: Session, member: Member) -> None:
    metering.record(session, [predictions(member.tenant_id)])
    seal(session, member)
    [block] = blocks(session, member)

    twin = SealedBlock(**block.model_dump())
    session.expunge_all()
    session.add(twin)
    with pytest.raises(IntegrityError):
        session.flush()


@pytest.mark.parametrize("table", [UsageEvent, SealedBlock])
@pytest.mark.parametrize("change", ["update", "delete"])
def test_the_database_lets_the_ledger_only_grow(
    session: Session, member: Member, table: type[UsageEvent | SealedBlock], change: str
) -> None:
    metering.record(session, [predictions(member.tenant_id)])
    seal(session, member)
    mine = col(table.tenant_id) == member.tenant_id
    values = {"quantity": Decimal(0)} if table is UsageEvent else {"count": 0}
    statements = {"update": update(table).where(mine).values(**values), "delete": delete(table).where(mine)}

    with pytest.raises(DBAPIError, match="only grows"):
        session.execute(statements[change])


def test_an_event_that_is_under_way_is_waited_for(live_database: str) -> None:
    """What commits late has an early serial; no seal may be made beyond it."""
    with transaction() as session:
        member = factories.create_member(session)
    recorded, may_commit, found = threading.Event(), threading.Event(), []

    def slow() -> None:
        with transaction() as session:
            metering.record(session, [predictions(member.tenant_id, request_id="req_slow")])
            recorded.set()
            may_commit.wait(10)

    def sealer() -> None:
        with transaction() as session:
            found.append(settled(session, member.tenant_id))

    threads = [threading.Thread(target=slow), threading.Thread(target=sealer)]
    threads[0].start()
    recorded.wait(10)
    threads[1].start()
    threads[1].join(0.3)
    assert found == []
    may_commit.set()
    for thread in threads:
        thread.join(10)

    with transaction() as session:
        head = sealing.seal(session, member.tenant_id, until=found[0])
    assert head.events == 1


def test_recording_and_sealing_side_by_side_leaves_no_event_out(live_database: str) -> None:
    with transaction() as session:
        member = factories.create_member(session)
    failures: list[BaseException] = []

    def recorder(number: int) -> None:
        try:
            for turn in range(15):
                with transaction() as session:
                    request = {"request_id": f"req_{number}_{turn}"}
                    metering.record(session, [predictions(member.tenant_id, **request)])
        except BaseException as failure:  # noqa: BLE001
            failures.append(failure)

    threads = [threading.Thread(target=recorder, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        with transaction() as session:
            until = settled(session, member.tenant_id)
        with transaction() as session:
            sealing.seal(session, member.tenant_id, until=until)
    with transaction() as session:
        head = sealing.seal_all(session, member.tenant_id)

    assert failures == []
    assert head.events == 60
