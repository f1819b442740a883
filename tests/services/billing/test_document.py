"""The PDF: the same snapshot gives the same bytes, and no text in it is markup."""

import re
from decimal import Decimal

import pytest

from services.billing import document
from services.billing.snapshot import Party, Snapshot
from services.billing.taxation import Tax
from tests.services.billing.factories import create_draft, create_snapshot, credit, day, predictions, training


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
    assert pages(document.pdf(create_snapshot(many))) == 3


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
    assert (texts["subtotal"], texts["credits"]) == (
        "2,472.79",
        [{"reason": "Trial credit", "amount": "−10.00"}],
    )
    assert texts["taxes"] == [{"percent": "19.5", "net": "2,462.79", "amount": "480.24"}]
    assert texts["total"] == "2,943.03"
    assert (texts["period"], texts["due"]) == ("1–30 November 2026", "16 December 2026")


def test_a_snapshot_survives_json() -> None:
    assert Snapshot.from_json(create_snapshot().to_json()) == create_snapshot()
