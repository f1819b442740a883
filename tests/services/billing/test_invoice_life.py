"""From draft to paid, void or uncollectible: what is final stays, what was wrong comes back."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from threading import Barrier

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from services.accounts.scope import Member, Staff, StaffOnly, StaffRole
from services.billing import closing, crediting, monitor, payments
from services.billing import service as billing
from services.billing.credits import NewCredit, grant_credit
from services.billing.drafting import draft_month, figures_of, uses_of
from services.billing.errors import MonthIsClosed
from services.billing.money import Money
from services.billing.notes import Note
from services.billing.owing import outstanding
from services.billing.period import Month
from services.billing.profiles import Address, set_address
from services.billing.tables import CreditEntry, CreditGrant, CreditNote, Invoice, InvoiceState
from services.config import settings
from services.db import transaction
from services.errors import ServiceError
from services.metering import recording, rollups
from services.proof import service as proof
from tests import factories
from tests.services.billing.factories import Clock, record, travel

ADA = Staff(user_id="ada", role=StaffRole.admin)
NOVEMBER = Month(2026, 11)
IN_NOVEMBER = datetime(2026, 11, 10, 12, tzinfo=UTC)


def euros(amount: str) -> Money:
    return Money(int(Decimal(amount) * 10**6), "EUR")


@pytest.fixture
def december(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setenv("TUNEPORT_TAX_RATE_PERCENT", "19")
    settings.cache_clear()
    travel(clock, "2026-12-02T00:00")
    return clock


@pytest.fixture
def invoice(session: Session, member: Member, december: Clock) -> Invoice:
    """10 euros of use, 11.90 with tax."""
    record(session, member, texts=50_000, at=IN_NOVEMBER)
    made = closing.finalise(session, member, month=NOVEMBER)
    assert made is not None
    december.advance(60)
    return made


def pay(session: Session, invoice: Invoice, amount: str, reference: str = "R-1") -> None:
    payments.record_by_hand(
        session,
        ADA,
        tenant_id=invoice.tenant_id,
        invoice_id=invoice.id,
        amount=euros(amount),
        reference=reference,
        received_on=date(2026, 12, 5),
    )


def take_back(session: Session, invoice: Invoice, net: str | None = None) -> CreditNote:
    return crediting.credit(
        session,
        ADA,
        tenant_id=invoice.tenant_id,
        invoice_id=invoice.id,
        reason="A fault of ours",
        net=None if net is None else euros(net),
    )


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(ServiceError) as refused:
        act()
    return refused.value.code


def test_a_payment_in_parts_pays_an_invoice_when_the_last_part_is_in(
    session: Session, member: Member, invoice: Invoice
) -> None:
    pay(session, invoice, "10", "R-1")
    assert (invoice.state, outstanding(session, member, invoice)) == (InvoiceState.open, euros("1.90"))

    pay(session, invoice, "1.90", "R-2")

    assert (invoice.state, outstanding(session, member, invoice)) == (InvoiceState.paid, euros("0"))


def test_the_same_transfer_is_recorded_once(session: Session, member: Member, invoice: Invoice) -> None:
    pay(session, invoice, "5")
    pay(session, invoice, "5")

    assert outstanding(session, member, invoice) == euros("6.90")


@pytest.mark.parametrize("amount", ["0", "-1", "11.91"])
def test_more_than_is_owed_is_refused(session: Session, invoice: Invoice, amount: str) -> None:
    assert refusal(lambda: pay(session, invoice, amount)) == "payment_too_large"


def test_a_paid_invoice_takes_no_more(session: Session, invoice: Invoice) -> None:
    pay(session, invoice, "11.90")
    assert refusal(lambda: pay(session, invoice, "1", "R-2")) == "invoice_paid"


def test_payment_of_a_void_invoice_is_refused(session: Session, invoice: Invoice) -> None:
    take_back(session, invoice)

    assert invoice.state is InvoiceState.void
    assert refusal(lambda: pay(session, invoice, "11.90")) == "invoice_void"
    assert refusal(lambda: take_back(session, invoice)) == "invoice_void"


def test_only_admins_record_and_take_back(session: Session, invoice: Invoice) -> None:
    sam = Staff(user_id="sam", role=StaffRole.sales)
    with pytest.raises(StaffOnly):
        payments.write_off(session, sam, tenant_id=invoice.tenant_id, invoice_id=invoice.id)
    with pytest.raises(StaffOnly):
        crediting.credit(session, sam, tenant_id=invoice.tenant_id, invoice_id=invoice.id, reason="")


def test_an_invoice_that_was_written_off_can_still_be_paid(session: Session, invoice: Invoice) -> None:
    payments.write_off(session, ADA, tenant_id=invoice.tenant_id, invoice_id=invoice.id)
    assert invoice.state is InvoiceState.uncollectible

    pay(session, invoice, "11.90")

    assert invoice.state is InvoiceState.paid


def test_parts_that_are_taken_back_add_up_with_their_tax(
    session: Session, member: Member, invoice: Invoice
) -> None:
    notes = [Note.from_json(take_back(session, invoice, part).snapshot) for part in ("3.33", "3.33", "3.34")]

    assert sum(note.net.micros for note in notes) == 10_000_000
    assert sum(note.tax.micros for note in notes) == 1_900_000
    assert outstanding(session, member, invoice) == euros("0")
    assert refusal(lambda: take_back(session, invoice, "0.01")) in {"nothing_to_credit", "invoice_void"}
    first = int(notes[0].number[-6:])
    assert [note.number for note in notes] == [f"TP-CN-2026-{first + place:06d}" for place in range(3)]


@pytest.mark.parametrize("net", ["0", "-1", "10.01"])
def test_more_than_was_invoiced_is_not_taken_back(session: Session, invoice: Invoice, net: str) -> None:
    assert refusal(lambda: take_back(session, invoice, net)) == "nothing_to_credit"


def test_what_is_taken_back_of_a_paid_invoice_pays_the_next_one(
    session: Session, member: Member, invoice: Invoice, december: Clock
) -> None:
    pay(session, invoice, "11.90")
    note = take_back(session, invoice, "5")
    assert (invoice.state, note.left) == (InvoiceState.paid, 5_950_000)
    record(session, member, texts=10_000, at=datetime(2026, 12, 10, tzinfo=UTC))
    travel(december, "2027-01-02T00:00")

    following = closing.finalise(session, member, month=Month(2026, 12))

    assert following is not None
    # 2.38 of the 5.95 pay it.
    assert (following.total, following.payable, following.state) == (2_380_000, 0, InvoiceState.paid)
    assert note.left == 3_570_000


def test_a_void_invoice_gives_its_credit_back(session: Session, member: Member, december: Clock) -> None:
    grant = grant_credit(
        session,
        ADA,
        tenant_id=member.tenant_id,
        credit=NewCredit(amount=euros("4"), reason="Goodwill", prepaid=False),
    )
    grant.created_at = datetime(2026, 11, 1, tzinfo=UTC)
    record(session, member, texts=50_000, at=IN_NOVEMBER)
    made = closing.finalise(session, member, month=NOVEMBER)
    assert made is not None
    assert made.total == 7_140_000
    assert monitor.standing(session, member, grant) == (euros("4"), euros("0"), euros("0"))

    take_back(session, made)

    assert monitor.standing(session, member, grant) == (euros("0"), euros("0"), euros("4"))
    uses = uses_of(session, member, NOVEMBER)
    assert monitor.findings(session, member, draft_month(session, member, NOVEMBER), uses) == []


def test_prepaid_credit_is_spent_by_priority_then_expiry_then_age_and_traced(
    session: Session, member: Member, december: Clock
) -> None:
    grants = []
    for reason, priority, expires in (
        ("old", 100, None),
        ("young", 100, None),
        ("expiring", 100, datetime(2027, 6, 1, tzinfo=UTC)),
        ("first", 1, None),
    ):
        grant = grant_credit(
            session,
            ADA,
            tenant_id=member.tenant_id,
            credit=NewCredit(
                amount=euros("4"), reason=reason, prepaid=True, priority=priority, expires_at=expires
            ),
        )
        grant.created_at = datetime(2026, 10, len(grants) + 1, tzinfo=UTC)
        grants.append(grant)
    record(session, member, texts=50_000, at=IN_NOVEMBER)

    made = closing.finalise(session, member, month=NOVEMBER)

    assert made is not None
    assert [(use.reason, str(use.amount)) for use in figures_of(made).credits] == [
        ("first", "4.00 EUR"),
        ("expiring", "4.00 EUR"),
        ("old", "3.90 EUR"),
    ]
    entries = session.exec(select(CreditEntry).where(CreditEntry.invoice_id == made.id))
    names = {grant.id: grant.reason for grant in grants}
    assert {names[entry.grant_id]: entry.amount for entry in entries} == {
        "first": 4_000_000,
        "expiring": 4_000_000,
        "old": 3_900_000,
    }
    assert (made.payable, made.state) == (0, InvoiceState.paid)


def test_late_use_is_a_correction_on_the_next_invoice_and_changes_the_first_not(
    session: Session, member: Member, invoice: Invoice, december: Clock
) -> None:
    kept = dict(invoice.snapshot)
    record(session, member, texts=5_000, at=IN_NOVEMBER)
    travel(december, "2027-01-02T00:00")

    following = closing.finalise(session, member, month=Month(2026, 12))

    assert following is not None
    [charge] = figures_of(following).charges
    assert (charge.kind, charge.corrects, charge.amount) == ("correction", invoice.number, euros("1"))
    assert "November 2026" in charge.title
    assert invoice.snapshot == kept
    assert proof.check(session, member, reference=invoice.number).is_right
    # Corrected once: February's draft has nothing of it.
    assert draft_month(session, member, Month(2027, 1)).charges == ()


@pytest.mark.parametrize(
    "change",
    [
        "total = total + 1",
        "number = 'TP-2026-999999'",
        "state = 'uncollectible', payable = 0",
        "period_end = period_start",
    ],
)
def test_the_database_itself_keeps_a_finalised_invoice(
    session: Session, invoice: Invoice, change: str
) -> None:
    with pytest.raises(IntegrityError, match="illegal change of invoice"):
        session.execute(text(f"UPDATE invoice SET {change} WHERE id = :id"), {"id": invoice.id})


@pytest.mark.parametrize(("before", "after"), [("paid", "open"), ("void", "paid"), ("paid", "void")])
def test_the_database_itself_keeps_the_life_of_an_invoice(
    session: Session, invoice: Invoice, before: str, after: str
) -> None:
    there = text("UPDATE invoice SET state = :state WHERE id = :id")
    session.execute(there, {"state": before, "id": invoice.id})

    with pytest.raises(IntegrityError, match="illegal change of invoice"):
        session.execute(there, {"state": after, "id": invoice.id})


@pytest.mark.parametrize("table", ["invoice", "credit_note", "payment", "credit_entry"])
def test_the_database_itself_deletes_nothing_final(session: Session, invoice: Invoice, table: str) -> None:
    pay(session, invoice, "11.90")
    take_back(session, invoice, "1")
    grant = CreditGrant(tenant_id=invoice.tenant_id, amount=1, reason="")
    session.add(grant)
    session.flush()
    session.add(CreditEntry(tenant_id=invoice.tenant_id, grant_id=grant.id, invoice_id=invoice.id, amount=1))
    session.flush()

    with pytest.raises(IntegrityError, match=f"illegal change of {table}"):
        session.execute(text(f"DELETE FROM {table}"))


def test_of_finalisations_at_the_same_instant_one_is_refused(live_database: str, clock: Clock) -> None:
    travel(clock, "2031-05-03T00:00")
    with transaction() as session:
        member = factories.create_member(session)
        record(session, member, texts=1000, at=datetime(2031, 4, 10, tzinfo=UTC))
    start = Barrier(4)

    def finalise(_: int) -> str:
        start.wait()
        try:
            with transaction() as session:
                made = closing.finalise(session, member, month=Month(2031, 4))
                assert made is not None
                return made.number
        except MonthIsClosed as refused:
            return refused.code

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(finalise, range(4)))

    assert answers == ["TP-2031-000001", *["month_is_closed"] * 3]


def test_a_workspace_whose_sums_do_not_agree_is_parked_and_released(
    session: Session, member: Member, december: Clock
) -> None:
    record(session, member, texts=50_000, at=IN_NOVEMBER)
    found = monitor.of_figures(
        draft_month(session, member, NOVEMBER).model_copy(update={"subtotal": euros("9")})
    )
    assert found[0] == "The subtotal is 9.00 EUR, and its parts come to 10.00 EUR."

    monitor.park(session, member, found)
    assert refusal(lambda: closing.finalise(session, member, month=NOVEMBER)) == "billing_parked"
    monitor.release(session, ADA, tenant_id=member.tenant_id)

    assert closing.finalise(session, member, month=NOVEMBER) is not None


def test_hours_that_are_not_their_events_stop_the_invoice(
    session: Session, member: Member, december: Clock
) -> None:
    record(session, member, texts=50_000, at=IN_NOVEMBER)
    rollups.advance(session, member.tenant_id, until=recording.settled(session, member.tenant_id))
    session.execute(
        text("UPDATE usage_hour SET quantity = quantity + 1000000 WHERE tenant_id = :id"),
        {"id": member.tenant_id},
    )

    with pytest.raises(ServiceError) as refused:
        closing.finalise(session, member, month=NOVEMBER)

    assert refused.value.code == "billing_parked"
    assert "is rolled up as 50001" in refused.value.message


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("DE136695976", "DE136695976"),
        ("de 136 695 976", "DE136695976"),
        ("EL094259216", "EL094259216"),
        ("", ""),
    ],
)
def test_a_vat_id_is_kept_in_its_compact_form(
    session: Session, member: Member, written: str, kept: str
) -> None:
    assert set_address(session, member, Address(vat_id=written)).vat_id == kept


@pytest.mark.parametrize("written", ["DE136695977", "DE1", "XX123", "136695976", "🦄", "CHE107787577"])
def test_a_vat_id_that_fails_its_checksum_is_refused(session: Session, member: Member, written: str) -> None:
    assert refusal(lambda: set_address(session, member, Address(vat_id=written))) == "bad_vat_id"


def test_a_business_in_another_member_state_accounts_for_the_tax_itself(
    session: Session, member: Member, december: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEPORT_SELLER_COUNTRY", "DE")
    settings.cache_clear()
    said = Address(legal_name="Acme SARL", address="1 rue X", city="Paris", postcode="75001", country="fr")
    set_address(session, member, said.model_copy(update={"vat_id": "FR40303265045"}))
    record(session, member, texts=50_000, at=IN_NOVEMBER)

    shown = billing.statement(session, member, reference="2026-11")

    [group] = shown.draft.tax_groups
    assert (group.category, group.percent, shown.draft.tax) == ("AE", 0, euros("0"))
    assert "Reverse charge" in group.note
    assert shown.customer.address == ("1 rue X", "75001 Paris")
    assert (shown.customer.name, shown.customer.tax_id) == ("Acme SARL", "FR40303265045")
