"""A credit note is a document like an invoice: by the law's rules, the same bytes again, checked offline."""

import csv
import io
import json
import zipfile
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlmodel import Session

from services.accounts.scope import Member, Staff, StaffRole
from services.billing import closing, crediting, notes
from services.billing.money import Money
from services.billing.period import Month
from services.billing.profiles import Address, set_address
from services.billing.snapshot import Language, Snapshot
from services.billing.tables import Invoice
from services.config import settings
from services.documents.files import Kind, document
from services.documents.pdf import texts
from services.errors import NotFound
from services.proof import service as proof
from services.proof.bundle import opened
from services.proof.fault import Wrong
from services.proof.verify import verify
from tests import factories
from tests.services.billing.factories import Clock, record, travel
from tests.services.documents.rules import broken_in_cii, broken_in_ubl

ADA = Staff(user_id="ada", role=StaffRole.admin)


@pytest.fixture
def invoice(session: Session, member: Member, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Invoice:
    """10.01 euros of use, with VAT of 19 %, of a seller and a customer that the standard accepts."""
    for name, value in {
        "NAME": "Tuneport GmbH",
        "COUNTRY": "DE",
        "CITY": "Berlin",
        "POSTCODE": "10115",
        "ADDRESS": "Example Way 12",
        "TAX_ID": "DE123456788",
        "EMAIL": "billing@tuneport.example",
    }.items():
        monkeypatch.setenv(f"TUNEPORT_SELLER_{name}", value)
    monkeypatch.setenv("TUNEPORT_TAX_RATE_PERCENT", "19")
    settings.cache_clear()
    said = Address(
        legal_name="Acme GmbH", address="Hauptstr. 1", postcode="80331", city="München", country="DE"
    )
    set_address(session, member, said)
    travel(clock, "2026-12-02T00:00")
    record(session, member, texts=50_050, at=datetime(2026, 11, 10, 12, tzinfo=UTC))
    made = closing.finalise(session, member, month=Month(2026, 11))
    assert made is not None
    return made


def taken_back(
    session: Session, member: Member, invoice: Invoice, net: str, reason: str = "A fault of ours"
) -> Snapshot:
    amount = Money(int(Decimal(net) * 10**6), "EUR")
    issued = crediting.credit(
        session, ADA, tenant_id=member.tenant_id, invoice_id=invoice.id, reason=reason, net=amount
    )
    return notes.credit_note(session, member, number_or_id=issued.number)


@pytest.mark.parametrize("net", ["10.01", "3.33", "0.01"])
def test_it_passes_the_laws_rules_in_both_syntaxes(
    session: Session, member: Member, invoice: Invoice, net: str
) -> None:
    shown = taken_back(session, member, invoice, net)

    cii, ubl = document(shown, Kind.xml).content, document(shown, Kind.ubl).content

    assert (broken_in_cii(cii), broken_in_ubl(ubl)) == ([], [])
    assert b"<ram:TypeCode>381</ram:TypeCode>" in cii
    assert f"<ram:IssuerAssignedID>{invoice.number}<".encode() in cii
    assert b"CreditNote" in ubl.splitlines()[1]


@pytest.mark.parametrize("gross", ["0.01", "0.03", "3.33", "11.91"])
def test_one_of_money_that_was_sent_back_passes_them_too(
    session: Session, member: Member, invoice: Invoice, gross: str
) -> None:
    amount = Money(int(Decimal(gross) * 10**6), "EUR")
    issued = crediting.credit_sent_back(
        session, member, invoice_id=invoice.id, amount=amount, reason="Refund"
    )
    assert issued is not None
    shown = notes.credit_note(session, member, number_or_id=issued.number)

    cii, ubl = document(shown, Kind.xml).content, document(shown, Kind.ubl).content

    assert shown.draft.payable == amount
    assert (broken_in_cii(cii), broken_in_ubl(ubl)) == ([], [])


def test_a_cent_more_is_noticed(session: Session, member: Member, invoice: Invoice) -> None:
    shown = taken_back(session, member, invoice, "3.33")
    document_ = document(shown, Kind.xml).content.decode()

    tampered = document_.replace("<ram:DuePayableAmount>3.96<", "<ram:DuePayableAmount>3.97<")

    assert tampered != document_
    assert broken_in_cii(tampered.encode()) != []


@pytest.mark.parametrize("kind", Kind)
def test_it_is_the_same_bytes_when_made_again(
    session: Session, member: Member, invoice: Invoice, kind: Kind
) -> None:
    shown = taken_back(session, member, invoice, "3.33")
    first = document(shown, kind)
    set_address(session, member, Address(legal_name="Renamed", country="FR"))
    session.expire_all()

    again = document(notes.credit_note(session, member, number_or_id=shown.number or ""), kind)

    assert again == first
    assert first.name == f"{shown.number}.{kind}"


def test_its_rows_for_finance_tools_add_up_to_what_comes_back(
    session: Session, member: Member, invoice: Invoice
) -> None:
    shown = taken_back(session, member, invoice, "3.33")

    rows = list(csv.DictReader(io.StringIO(document(shown, Kind.csv).content.decode())))

    assert sum(Decimal(row["BilledCost"]) for row in rows) == Decimal("-3.96")


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Credit note"), ("de", "Rechnungskorrektur"), ("zh", "贷记单")]
)
def test_it_speaks_the_language_of_its_invoice(
    session: Session, member: Member, invoice: Invoice, language: str, title: str
) -> None:
    shown = taken_back(session, member, invoice, "3.33")

    said = texts(shown.model_copy(update={"language": Language(language)}))

    assert said["words"]["Credit note"] == title
    assert said["corrects"] == invoice.number
    assert said["proof"] == []


def test_another_workspace_finds_none(session: Session, member: Member, invoice: Invoice) -> None:
    shown = taken_back(session, member, invoice, "3.33")
    stranger = factories.create_member(session)

    with pytest.raises(NotFound):
        notes.credit_note(session, stranger, number_or_id=shown.number or "")
    assert notes.credit_notes(session, stranger) == []
    assert [row.number for row in notes.credit_notes(session, member)] == [shown.number]


def bundle_of(session: Session, member: Member, invoice: Invoice) -> io.BytesIO:
    file = io.BytesIO()
    proof.export(session, member, reference=invoice.number, into=file)
    return file


def test_the_bundle_has_them_and_is_right(session: Session, member: Member, invoice: Invoice) -> None:
    numbers = [taken_back(session, member, invoice, net).number for net in ("3.33", "3.33", "3.35")]

    with opened(bundle_of(session, member, invoice)) as bundle:
        verdict = verify(bundle)

    assert verdict.faults == []
    assert verdict.credit_notes == numbers


@pytest.mark.parametrize(
    ("of", "by", "wrong"),
    [
        ("net", 10_000, Wrong.sum),
        ("tax", 10_000, Wrong.sum),
        ("total", -10_000, Wrong.sum),
        ("invoice", "TP-2026-999999", Wrong.foreign),
    ],
)
def test_a_changed_credit_note_is_named(
    session: Session, member: Member, invoice: Invoice, of: str, by: int | str, wrong: Wrong
) -> None:
    taken_back(session, member, invoice, "3.33")
    number = taken_back(session, member, invoice, "6.68").number
    changed = io.BytesIO()
    with (
        zipfile.ZipFile(bundle_of(session, member, invoice)) as source,
        zipfile.ZipFile(changed, "w") as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == "invoice.json":
                told = json.loads(content)
                note = told["credit_notes"][1]
                if isinstance(by, int):
                    note[of]["micros"] += by
                else:
                    note[of] = by
                content = json.dumps(told).encode()
            target.writestr(name, content)

    with opened(changed) as bundle:
        [fault, *_] = verify(bundle).faults

    assert (fault.wrong, fault.place) == (wrong, f"credit note {number}")


def test_more_taken_back_than_was_invoiced_is_named(
    session: Session, member: Member, invoice: Invoice
) -> None:
    taken_back(session, member, invoice, "10.01")
    changed = io.BytesIO()
    with (
        zipfile.ZipFile(bundle_of(session, member, invoice)) as source,
        zipfile.ZipFile(changed, "w") as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == "invoice.json":
                told = json.loads(content)
                [note] = told["credit_notes"]
                told["credit_notes"].append({**note, "number": "TP-CN-2026-999999"})
                content = json.dumps(told).encode()
            target.writestr(name, content)

    with opened(changed) as bundle:
        [fault] = verify(bundle).faults

    assert fault.place == "credit note TP-CN-2026-999999"
    assert "20.02 EUR of 10.01 EUR are taken back" in fault.sentence
