"""A closed month has the next number, and never changes again."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from sqlmodel import Session

from services.accounts.scope import Member
from services.accounts.tables import Tenant
from services.billing import service as billing
from services.billing.errors import MonthNotOver
from services.billing.money import MICROS
from services.billing.period import Month, UnknownMonth
from services.billing.snapshot import Snapshot
from services.billing.tables import Invoice, InvoiceState
from services.clock import now
from services.config import settings
from services.db import transaction
from services.proof import service as proof
from tests import factories
from tests.services.billing.factories import Clock, record, travel


@pytest.fixture
def december(clock: Clock) -> Clock:
    """A day on which November can be closed."""
    travel(clock, "2026-12-02T00:00")
    return clock


IN_NOVEMBER = "2026-11-10T12:00:00+00:00"


def use(session: Session, member: Member, *, texts: int = 10_000, at: str = IN_NOVEMBER) -> None:
    record(session, member, texts=texts, at=now().fromisoformat(at))


def close(session: Session, member: Member, *, month: int = 11) -> Invoice | None:
    return billing.close_month(session, member, year=2026, month=month)


def test_an_invoice_says_what_the_draft_said(session: Session, member: Member, december: Clock) -> None:
    use(session, member)
    draft = billing.statement(session, member, reference="2026-11")

    invoice = close(session, member)

    assert invoice is not None
    final = Snapshot.from_json(invoice.snapshot)
    assert final.draft == draft.draft
    assert (final.number, draft.number) == (invoice.number, None)
    assert (invoice.total, invoice.currency, invoice.state) == (2 * MICROS, "EUR", InvoiceState.open)
    assert (final.due_on - final.issued_on).days == 14 if final.due_on else False


def test_numbers_follow_one_another_over_workspaces(session: Session, december: Clock) -> None:
    members = [factories.create_member(session) for _ in range(3)]
    for member in members:
        use(session, member)

    numbers = [invoice.number for member in members if (invoice := close(session, member))]

    first = int(numbers[0].rsplit("-", 1)[1])
    assert numbers == [f"TP-2026-{first + position:06d}" for position in range(3)]


def test_closing_again_returns_the_first_and_takes_no_number(
    session: Session, member: Member, december: Clock
) -> None:
    use(session, member)
    other = factories.create_member(session)
    use(session, other)

    first, again, next_one = close(session, member), close(session, member), close(session, other)

    assert first is not None
    assert next_one is not None
    assert again is first
    assert next_one.sequence == first.sequence + 1


def test_a_month_without_use_has_no_invoice_and_takes_no_number(
    session: Session, member: Member, december: Clock
) -> None:
    other = factories.create_member(session)
    use(session, other)

    assert close(session, member) is None
    invoice = close(session, other)

    assert invoice is not None
    assert billing.invoices(session, member) == []


def test_a_close_that_is_undone_gives_its_number_back(
    session: Session, member: Member, december: Clock
) -> None:
    use(session, member)
    transaction_that_fails = session.begin_nested()
    undone = close(session, member)
    assert undone is not None
    number = undone.number
    transaction_that_fails.rollback()

    again = close(session, member)

    assert again is not None
    assert again.number == number


def test_a_month_is_closed_a_day_after_its_end_on_the_workspaces_clock(
    session: Session, clock: Clock
) -> None:
    tenant = factories.create_tenant(session, time_zone="America/Los_Angeles")
    member = factories.create_member(session, tenant_id=tenant.id)
    use(session, member)

    travel(clock, "2026-12-02T07:59:59")
    with pytest.raises(MonthNotOver, match="2026-12-02 00:00 PST"):
        close(session, member)
    travel(clock, "2026-12-02T08:00:00")

    assert close(session, member) is not None


def test_there_is_no_thirteenth_month(session: Session, member: Member) -> None:
    with pytest.raises(UnknownMonth):
        close(session, member, month=13)


def test_an_invoice_that_the_trial_paid_is_paid(session: Session, member: Member, clock: Clock) -> None:
    travel(clock, "2026-11-01T12:00")
    billing.grant_trial(session, member)
    use(session, member)
    travel(clock, "2026-12-05T12:00")

    invoice = close(session, member)

    assert invoice is not None
    assert (invoice.total, invoice.state) == (0, InvoiceState.paid)


def test_what_is_told_or_changed_later_changes_no_invoice(
    session: Session, member: Member, december: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(session, member)
    invoice = close(session, member)
    assert invoice is not None
    kept = billing.statement(session, member, reference=invoice.number)

    december.advance(3600)
    use(session, member, texts=99)
    tenant = session.get(Tenant, member.tenant_id)
    assert tenant is not None
    tenant.name, tenant.time_zone = "Renamed", "Asia/Tokyo"
    monkeypatch.setenv("TUNEPORT_SELLER_NAME", "Somebody else")
    settings.cache_clear()
    session.expire(invoice)

    assert billing.statement(session, member, reference="2026-11") == kept
    assert close(session, member) is invoice
    [line] = kept.draft.lines
    counted = billing.line_events(session, member, reference=invoice.id, line_key=line.key)
    assert sum(event.quantity for event in counted.events) == line.quantity


def test_seller_and_tax_come_from_the_operator(
    session: Session, member: Member, december: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEPORT_SELLER_ADDRESS", "Example Way 12; 10115 Berlin")
    monkeypatch.setenv("TUNEPORT_TAX_RATE_PERCENT", "19")
    settings.cache_clear()
    use(session, member)

    shown = billing.statement(session, member, reference="2026-11")

    assert shown.seller.address == ("Example Way 12", "10115 Berlin")
    assert (shown.draft.tax.micros, shown.draft.total.micros) == (380_000, 2_380_000)
    assert [group.note for group in shown.draft.tax_groups] == [""]


def test_an_invoice_without_tax_says_so(session: Session, member: Member, december: Clock) -> None:
    use(session, member)

    shown = billing.statement(session, member, reference="2026-11")

    assert [(group.percent, group.note) for group in shown.draft.tax_groups] == [(0, "No VAT is charged.")]


def test_closers_at_the_same_instant_make_one_invoice_per_workspace_without_gaps(
    live_database: str, clock: Clock
) -> None:
    travel(clock, "2031-05-03T00:00")
    with transaction() as session:
        members = [factories.create_member(session) for _ in range(4)]
        for member in members:
            record(session, member, texts=1000, at=now().fromisoformat("2031-04-10T12:00:00+00:00"))
    closers = members * 3
    start = Barrier(len(closers))

    def close_at_once(member: Member) -> str:
        start.wait()
        with transaction() as session:
            invoice = billing.close_month(session, member, year=2031, month=4)
            assert invoice is not None
            return invoice.number

    with ThreadPoolExecutor(len(closers)) as pool:
        numbers = list(pool.map(close_at_once, closers))

    assert numbers[:4] == numbers[4:8] == numbers[8:]
    assert sorted(set(numbers)) == [f"TP-2031-{sequence:06d}" for sequence in range(1, 5)]


def test_use_that_comes_in_while_a_month_is_closed_is_on_this_invoice_or_on_the_next(
    live_database: str, clock: Clock
) -> None:
    travel(clock, "2031-05-03T00:00")
    in_april = now().fromisoformat("2031-04-10T12:00:00+00:00")
    with transaction() as session:
        members = [factories.create_member(session) for _ in range(3)]
        for member in members:
            record(session, member, texts=1000, at=in_april)
    told = dict.fromkeys((member.tenant_id for member in members), 1000)
    over = Event()

    def tell(member: Member) -> None:
        while not over.is_set():
            with transaction() as session:
                record(session, member, texts=1000, at=in_april)
            told[member.tenant_id] += 1000

    def close_one(member: Member) -> str:
        with transaction() as session:
            invoice = billing.close_month(session, member, year=2031, month=4)
            assert invoice is not None
            return invoice.number

    with ThreadPoolExecutor(2 * len(members)) as pool:
        tellers = [pool.submit(tell, member) for member in members]
        try:
            numbers = list(pool.map(close_one, members))
        finally:
            over.set()
        for teller in tellers:
            teller.result()

    travel(clock, "2031-06-03T00:00")
    for member, number in zip(members, numbers, strict=True):
        with transaction() as session:
            assert proof.check(session, member, reference=number).faults == []
            first = billing.statement(session, member, reference=number).draft.subtotal.micros
            late = billing.draft_invoice(session, member, month=Month(2031, 5)).draft.subtotal.micros
            # 0.20 EUR for each thousand.
            assert first + late == told[member.tenant_id] * 200
