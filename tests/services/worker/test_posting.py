"""A finalised invoice goes out once, in the customer's language; what stops it is told to the operator."""

import email
import email.policy
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage

import pytest

from services.accounts.scope import Member, Staff, StaffRole
from services.billing import closing, crediting, notes, subscriptions
from services.billing import letters as billing_letters
from services.billing import service as billing
from services.billing.period import Month
from services.billing.profiles import Address, set_address
from services.billing.tables import Invoice
from services.config import settings
from services.db import reading, transaction
from services.documents.pdf import pdf
from services.worker import posting
from tests import factories
from tests.services.billing.factories import Clock, record, travel

ADA = Staff(user_id="ada", role=StaffRole.admin)


@pytest.fixture
def customer(live_database: str, clock: Clock) -> Member:
    travel(clock, "2026-11-10T12:00")
    with transaction() as session:
        member = factories.create_member(session)
        subscriptions.subscribe(session, member, plan="pay-as-you-go")
        record(session, member, texts=30_000)
    return member


def closed(member: Member, clock: Clock, *, to: str = "bo@acme.example", language: str = "de") -> Invoice:
    with transaction() as session:
        set_address(session, member, Address(email=to, language=language))  # type: ignore[arg-type]
    travel(clock, "2026-12-02T12:00")
    with transaction() as session:
        made = closing.finalise(session, member, month=Month(2026, 11))
    assert made is not None
    return made


def read(letter: str) -> EmailMessage:
    return email.message_from_string(letter, policy=email.policy.default)  # type: ignore[return-value]


def told() -> list[tuple[str, int]]:
    with reading() as session:
        return [(unsent.why, unsent.attempts) for unsent in billing_letters.unsent(session, ADA)]


def test_it_goes_out_once_with_its_pdf_in_the_customers_language(
    customer: Member, letters: list[str], clock: Clock
) -> None:
    made = closed(customer, clock)

    assert [posting.send_documents(customer) for _ in range(3)] == [1, 0, 0]

    [letter] = map(read, letters)
    assert letter["To"] == "bo@acme.example"
    assert letter["Subject"].startswith(f"Rechnung {made.number}, ")
    assert letter["Message-ID"] == f"<{made.id}@tuneport.example>"
    text = letter.get_body().get_content()  # type: ignore[union-attr]
    assert f"Die Rechnung {made.number} für 1.–30. November 2026 liegt bei." in text
    assert "Zu zahlen sind 6,00 EUR bis 16. Dezember 2026." in text
    [attached] = letter.iter_attachments()
    with reading() as session:
        expected = pdf(billing.statement(session, customer, reference=made.number))
    assert (attached.get_filename(), attached.get_content()) == (f"{made.number}.pdf", expected)
    assert told() == []


@pytest.mark.parametrize(
    ("language", "says"), [("en", "6.00 EUR is to be paid by"), ("zh", "应付金额 6.00 EUR")]
)
def test_it_speaks_the_customers_language(
    customer: Member, letters: list[str], clock: Clock, language: str, says: str
) -> None:
    closed(customer, clock, language=language)

    posting.send_documents(customer)

    assert says in read(letters[0]).get_body().get_content()  # type: ignore[union-attr]


def test_many_workers_send_it_once(customer: Member, letters: list[str], clock: Clock) -> None:
    closed(customer, clock)

    with ThreadPoolExecutor(6) as pool:
        sent = list(pool.map(posting.send_documents, [customer] * 6))

    assert (sum(sent), len(letters)) == (1, 1)


def test_a_server_that_fails_is_told_of_and_the_letter_goes_out_later_once(
    customer: Member, letters: list[str], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = closed(customer, clock)
    right = settings().smtp_port
    monkeypatch.setenv("TUNEPORT_SMTP_PORT", "1")
    settings.cache_clear()

    assert [posting.send_documents(customer) for _ in range(2)] == [0, 0]
    [(why, attempts)] = told()
    assert "The e-mail was not sent" in why
    assert attempts == 2

    monkeypatch.setenv("TUNEPORT_SMTP_PORT", str(right))
    settings.cache_clear()
    assert [posting.send_documents(customer) for _ in range(2)] == [1, 0]
    assert (told(), len(letters)) == ([], 1)
    assert made.number in letters[0]


def test_it_is_not_tried_for_ever(customer: Member, letters: list[str], clock: Clock) -> None:
    made = closed(customer, clock, to="")

    for _ in range(billing_letters.MOST_ATTEMPTS + 3):
        posting.send_documents(customer)

    assert told() == [(posting.NO_ADDRESS, billing_letters.MOST_ATTEMPTS)]
    with transaction() as session:
        set_address(session, customer, Address(email="bo@acme.example"))
        billing_letters.send_again(session, ADA, tenant_id=customer.tenant_id, document_id=made.id)
    assert posting.send_documents(customer) == 1


def test_one_whose_sender_died_is_left_to_the_operator(
    customer: Member, letters: list[str], clock: Clock
) -> None:
    made = closed(customer, clock)
    with transaction() as session:
        assert billing_letters.begin(session, customer, document_id=made.id)
    assert told() == []
    clock.advance(3600)

    assert posting.send_documents(customer) == 0
    [(why, _)] = told()
    assert "may have gone out, or not" in why

    with transaction() as session:
        billing_letters.send_again(session, ADA, tenant_id=customer.tenant_id, document_id=made.id)
    assert posting.send_documents(customer) == 1
    with transaction() as session:
        billing_letters.send_again(session, ADA, tenant_id=customer.tenant_id, document_id=made.id)
    assert posting.send_documents(customer) == 0
    assert len(letters) == 1


def test_without_a_server_nothing_waits_for_one(customer: Member, clock: Clock) -> None:
    closed(customer, clock)

    assert posting.send_documents(customer) == 0
    with reading() as session:
        assert billing_letters.due(session, customer) == []


def test_a_credit_note_goes_out_once_after_its_invoice(
    customer: Member, letters: list[str], clock: Clock
) -> None:
    made = closed(customer, clock)
    with transaction() as session:
        note = crediting.credit(
            session, ADA, tenant_id=customer.tenant_id, invoice_id=made.id, reason="Ein Fehler von uns"
        )

    assert [posting.send_documents(customer) for _ in range(2)] == [2, 0]

    with_invoice, with_note = map(read, letters)
    assert with_invoice["Subject"].startswith(f"Rechnung {made.number}, ")
    assert with_note["Subject"].startswith(f"Rechnungskorrektur {note.number}, ")
    assert with_note["Message-ID"] == f"<{note.id}@tuneport.example>"
    text = with_note.get_body().get_content()  # type: ignore[union-attr]
    assert f"Die Rechnungskorrektur {note.number} zur Rechnung {made.number} liegt bei: 6,00 EUR" in text
    assert f"/invoice?invoice={made.number}" in text
    [attached] = with_note.iter_attachments()
    with reading() as session:
        expected = pdf(notes.credit_note(session, customer, number_or_id=note.number))
    assert (attached.get_filename(), attached.get_content()) == (f"{note.number}.pdf", expected)


def test_a_credit_note_that_did_not_go_out_is_told_of_and_sent_again(
    customer: Member, letters: list[str], clock: Clock
) -> None:
    made = closed(customer, clock, to="")
    with transaction() as session:
        note = crediting.credit(
            session, ADA, tenant_id=customer.tenant_id, invoice_id=made.id, reason="A fault"
        )
    posting.send_documents(customer)
    with reading() as session:
        found = billing_letters.unsent(session, ADA)
    assert [(one.number, one.why) for one in found] == [
        (made.number, posting.NO_ADDRESS),
        (note.number, posting.NO_ADDRESS),
    ]

    with transaction() as session:
        set_address(session, customer, Address(email="bo@acme.example"))
        billing_letters.send_again(session, ADA, tenant_id=customer.tenant_id, document_id=note.id)

    assert posting.send_documents(customer) == 2
    assert told() == []
