"""The PDF: the same snapshot gives the same bytes, and no text in it is markup."""

import io
import re
from decimal import Decimal

import facturx
import pytest
from lxml import etree
from pypdf import PdfReader

from services.billing.snapshot import Language, Party, Snapshot
from services.billing.taxation import Tax
from services.documents import cii, semantic
from services.documents import pdf as document
from services.documents.words import words_of
from tests.services.billing.factories import create_draft, create_snapshot, credit, day, predictions, training
from tests.services.documents.factories import create_invoice


def pages(pdf: bytes) -> int:
    [count] = re.findall(rb"/Count (\d+)", pdf)
    return int(count)


def is_archive(pdf: bytes) -> bool:
    return b"<pdfaid:part>3</pdfaid:part>" in pdf


def test_the_same_snapshot_gives_the_same_bytes() -> None:
    first = document.pdf(create_snapshot())
    second = document.pdf(Snapshot.from_json(create_snapshot().to_json()))

    assert first == second
    assert first.startswith(b"%PDF-1.7")
    assert is_archive(first)


def test_another_cent_gives_other_bytes() -> None:
    dearer = create_snapshot(create_draft(training("1000"), predictions(500_050)))

    assert document.pdf(dearer) != document.pdf(create_snapshot())


def test_three_lines_fit_a_page_and_sixty_go_on() -> None:
    many = create_draft(
        *(predictions(100 * n, day=day(n), subject=f"mv_{k}") for n in range(1, 31) for k in (1, 2))
    )

    assert pages(document.pdf(create_snapshot())) == 1
    assert pages(document.pdf(create_snapshot(many))) == 2


@pytest.mark.parametrize(
    "text",
    [
        "#panic[x]",
        "]#panic()[",
        "*bold* _under_ $x$",
        "<label> @missing",
        "\\u{0} \\",
        '"); panic("',
        '#import "x"',
        "`",
    ],
)
def test_a_text_that_looks_like_markup_is_printed_as_it_is(text: str) -> None:
    figures = create_draft(training()).named({"job_1": text})

    snapshot = create_snapshot(figures, customer=Party(name=text, address=(text,)), workspace=text)

    assert is_archive(document.pdf(snapshot))
    assert document.texts(snapshot)["customer"]["name"] == text


@pytest.mark.parametrize("name", ["株式会社サンプル", "unicorn 🦄", "private \ue000", "\U0010ffff"])
def test_no_name_keeps_an_invoice_from_being_printed(name: str) -> None:
    assert document.pdf(create_snapshot(customer=Party(name=name))).startswith(b"%PDF")


@pytest.mark.parametrize("name", ["nul \x00 bell \x07", "two\nlines", "Łódź Ελλάς Київ", "a" * 400])
def test_a_name_that_our_own_fonts_can_show_makes_an_archive(name: str) -> None:
    assert is_archive(document.pdf(create_snapshot(customer=Party(name=name))))


def test_a_draft_and_an_empty_draft_are_printed() -> None:
    for figures in (None, create_draft()):
        snapshot = create_snapshot(figures, number=None, due_on=None)
        assert pages(document.pdf(snapshot)) == 1


def test_figures_are_written_out_to_the_cent() -> None:
    figures = create_draft(
        training("1234567.5"), predictions(18_231), grants=(credit(10),), tax=Tax(Decimal("19.50"), "Reason.")
    )

    texts = document.texts(create_snapshot(figures))

    training_line, predictions_line = (section["lines"][0] for section in texts["sections"])
    assert (training_line["quantity"], training_line["price"]) == ("1,234,567.5 s", "0.002 / s")
    assert training_line["amount"] == "2,469.14"
    assert (predictions_line["quantity"], predictions_line["price"]) == ("18,231", "0.20 / 1,000")
    assert predictions_line["amount"] == "3.65"
    assert [section["subtotal"] for section in texts["sections"]] == ["2,469.14", "3.65"]
    assert (texts["subtotal"], texts["reductions"]) == (
        "2,472.79",
        [{"title": "Trial credit", "amount": "−10.00"}],
    )
    assert texts["taxes"] == [{"percent": "19.5", "net": "2,462.79", "amount": "480.24"}]
    assert (texts["total"], texts["payable"]) == ("2,943.03", "2,943.03")
    assert (texts["period"], texts["due"]) == ("1–30 November 2026", "16 December 2026")


def test_an_archive_carries_its_electronic_invoice() -> None:
    made = document.pdf(create_invoice())

    root = PdfReader(io.BytesIO(made)).trailer["/Root"]
    [attached] = (reference.get_object() for reference in root["/AF"])
    assert (attached["/AFRelationship"], attached["/UF"]) == ("/Alternative", "factur-x.xml")
    assert attached["/EF"]["/F"].get_object()["/Subtype"] == "/text/xml"
    xml = attached["/EF"]["/F"].get_object().get_data()
    assert xml == cii.xml(semantic.of(create_invoice()))
    assert root["/OutputIntents"][0].get_object()["/S"] == "/GTS_PDFA1"
    # What another reader of Factur-X finds in it.
    assert facturx.get_facturx_xml_from_pdf(made, check_xsd=True, check_schematron=False) == (
        "factur-x.xml",
        xml,
    )


def test_the_metadata_say_what_the_archive_is() -> None:
    reader = PdfReader(io.BytesIO(document.pdf(create_invoice())))

    tree = etree.fromstring(reader.trailer["/Root"]["/Metadata"].get_object().get_data())
    said = {etree.QName(element).localname: element.text for element in tree.iter() if len(element) == 0}
    assert (said["part"], said["conformance"]) == ("3", "B")
    assert (said["DocumentType"], said["ConformanceLevel"]) == ("INVOICE", "EN 16931")
    assert said["DocumentFileName"] == "factur-x.xml"
    # Every property of a schema of its own is described.
    described = {element.text for element in tree.iter("{http://www.aiim.org/pdfa/ns/property#}name")}
    assert {"DocumentFileName", "DocumentType", "Version", "ConformanceLevel"} <= described
    assert len(reader.pages) == 1


def test_what_was_before_the_description_is_unchanged() -> None:
    made = document.pdf(create_invoice())

    ends = [found.end() for found in re.finditer(rb"%%EOF\n?", made)]
    assert len(ends) == 2
    assert len(PdfReader(io.BytesIO(made[: ends[0]])).pages) == 1


@pytest.mark.parametrize("changes", [{"number": None, "due_on": None}, {"customer": Party(name="Acme")}])
def test_where_there_is_no_electronic_form_the_archive_stands_alone(changes: dict[str, object]) -> None:
    made = document.pdf(create_invoice(**changes))

    assert is_archive(made)
    assert b"factur-x" not in made


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (Language.english, ("Invoice", "2 December 2026", "1–30 November 2026", "2,005.30", "3 Nov")),
        (Language.german, ("Rechnung", "2. Dezember 2026", "1.–30. November 2026", "2.005,30", "03.11.")),
        (Language.chinese, ("账单", "2026年12月2日", "2026年11月1–30日", "2,005.30", "11月3日")),
    ],
)
def test_documents_speak_three_languages(language: Language, said: tuple[str, ...]) -> None:
    figures = create_draft(training("1002650"), tax=Tax(Decimal(0), "No VAT is charged."))

    texts = document.texts(create_invoice(figures, language=language))

    [section] = texts["sections"]
    assert said == (
        texts["words"]["Invoice"],
        texts["issued"],
        texts["period"],
        section["subtotal"],
        section["lines"][0]["day"],
    )


def test_every_phrase_is_in_every_language() -> None:
    german, chinese = (words_of(language).phrases for language in (Language.german, Language.chinese))

    assert german.keys() == chinese.keys() >= set(document._LABELS)


def test_a_credit_note_says_which_invoice_it_credits() -> None:
    texts = document.texts(create_invoice(number="TPC-1", corrects="TP-2026-000042", due_on=None))

    assert (texts["corrects"], texts["due"]) == ("TP-2026-000042", None)
    assert is_archive(document.pdf(create_invoice(number="TPC-1", corrects="TP-2026-000042", due_on=None)))


def test_a_snapshot_survives_json() -> None:
    assert Snapshot.from_json(create_snapshot().to_json()) == create_snapshot()
