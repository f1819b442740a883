import pytest

from services.datasets.findings.catalogue import Code
from services.datasets.findings.personal import redacted
from tests.services.datasets.findings.examined import marked, of_texts, rows

# Published examples and numbers made for tests; none is anybody's.
REAL = {
    Code.email_address: ["anna.berg+shop@mail.example.co.uk", "x@example.com"],
    Code.phone_number: [
        "+49 30 901820",
        "(030) 901-8200",
        "555-123-4567",
        "0049 30 90182000",
        "030/9018 2000",
    ],
    Code.card_number: ["4111 1111 1111 1111", "5500-0055-5555-5559", "378282246310005"],
    Code.iban: ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"],
    Code.national_id: [
        "536-90-4399",
        "54362315K",
        "X-2482300W",
        "RCCMNL83S18D969H",
        "390.533.447-05",
        "44051401359",
    ],
}


@pytest.mark.parametrize(("code", "number"), [(code, number) for code in REAL for number in REAL[code]])
def test_personal_data_is_found_and_marked(code: Code, number: str) -> None:
    texts = of_texts("Nothing to see here", f"Please note {number}, thank you")

    assert rows(texts, code) == [3]
    assert marked(texts, code) == [number]


@pytest.mark.parametrize("code", REAL)
def test_a_piece_of_personal_data_is_of_one_kind(code: Code) -> None:
    texts = of_texts(*REAL[code])

    assert [other for other in REAL if rows(texts, other)] == [code]


@pytest.mark.parametrize(
    "text",
    [
        "card 4111 1111 1111 1112 has a wrong digit",
        "DE88 3704 0044 0532 0130 00",
        "on 01-02-2024 or 2024-02-01 at 10:15",
        "order 123456789",
        "1234567890123",
        "a @ b, me@home",
        "version 1.2.3.4",
        "pay 1,000,000.00 now",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert not [code for code in REAL if rows(of_texts(text), code)]


def test_redaction_leaves_a_word_and_the_rest() -> None:
    text = "Write to x@example.com or call +49 30 901820."

    assert redacted(text) == "Write to [e-mail] or call [phone]."
    assert redacted(text, {Code.phone_number}) == "Write to x@example.com or call [phone]."


def test_a_text_full_of_addresses_is_read_in_one_go() -> None:
    text = "x@example.com, +49 30 901820; " * 3_000

    assert redacted(text) == "[e-mail], [phone]; " * 3_000
