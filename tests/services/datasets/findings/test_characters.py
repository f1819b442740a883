import pytest

from services.datasets.findings.catalogue import Code
from services.datasets.findings.characters import cleaned
from tests.services.datasets.findings.examined import marked, of_texts, rows


def test_control_characters_are_found_and_ordinary_white_space_is_not() -> None:
    texts = of_texts(
        "a\x07bell", "zero\u200bwidth", "turn\u202ed", "tab\tand\nline", "👩\u200d💻", "می\u200cخواهم"
    )

    assert rows(texts, Code.control_characters) == [2, 3, 4]


@pytest.mark.parametrize("text", ["café", "naïve", "“quoted”", "Привет", "10 €", "😀", "São Paulo"])
def test_text_in_the_wrong_encoding_is_found_and_repaired(text: str) -> None:
    broken = "".join(bytes([byte]).decode("cp1252", "ignore") or chr(byte) for byte in text.encode())

    assert rows(of_texts(broken), Code.mojibake) == [2]
    assert cleaned(broken) == text


@pytest.mark.parametrize(
    "text", ["Ça va à l'École", "âme, château", "ÄÖÜ äöü ß", "Ñandú", "Привет, мир", "½ ×"]
)
def test_letters_with_accents_are_no_broken_letters(text: str) -> None:
    assert not rows(of_texts(text), Code.mojibake)
    assert cleaned(text) == text


def test_html_is_found_where_it_is_and_taken_out() -> None:
    texts = of_texts(
        "Hello<br/>you &amp; me", "3 < 4 and 5 > 4", "I <3 you", "<user> wrote <unk>", '<a href="x">go</a>'
    )

    assert rows(texts, Code.html) == [2, 6]
    assert marked(texts, Code.html) == ["<br/>", '<a href="x">']
    assert cleaned(texts[0].text) == "Hello you & me"


def test_clean_text_stays_as_it_is() -> None:
    assert cleaned("Two  spaces,\na line & a < b") == "Two  spaces,\na line & a < b"
