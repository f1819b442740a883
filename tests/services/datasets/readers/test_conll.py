import pytest

from services.datasets.dropped import DropCode, Dropped
from services.datasets.examples import Example
from services.datasets.formats import Format
from services.datasets.limits import MAX_TOKENS
from services.datasets.readers import conll
from tests.services.datasets.factories import conll_form, rows, sentence


def read(text: str, form: Format) -> list[Example | Dropped]:
    return rows(conll.read(text, form), form)


def test_sentences_end_at_empty_lines_also_at_those_that_hold_a_tab() -> None:
    text = "Empire\tB-location\nState\tI-location\n\t\nhi\tO\n\n\n.\tO"

    assert read(text, conll_form()) == [
        sentence(1, "Empire/B-location", "State/I-location"),
        sentence(2, "hi/O"),
        sentence(3, "./O"),
    ]


def test_conll_2003_has_four_columns_and_marks_of_documents() -> None:
    form = conll_form(
        delimiter=" ",
        columns=("column 1", "column 2", "column 3", "column 4"),
        label_column="column 4",
    )
    start = "-DOCSTART- -X- -X- O\r\n\r\n"
    text = f"{start}EU NNP B-NP I-ORG\r\nrejects VBZ B-VP O\r\n\r\n{start}he PRP B-NP O\r\n"

    assert read(text, form) == [sentence(1, "EU/B-ORG", "rejects/O"), sentence(2, "he/O")]


def test_another_column_may_hold_the_tags() -> None:
    form = conll_form(delimiter=" ", columns=("column 1", "column 2", "column 3"))

    assert read("EU B-ORG x\n", form) == [sentence(1, "EU/B-ORG")]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ("hi", DropCode.wrong_column_count),
        ("hi\tO\nyou\tO\tO", DropCode.wrong_column_count),
        ("hi\tNOUN", DropCode.broken_tag),
        ("hi\tB-", DropCode.broken_tag),
        ("hi\t", DropCode.broken_tag),
        ("\tO", DropCode.empty_token),
        ("h\udcffi\tO", DropCode.unreadable_row),
        ("hi\tB-" + "x" * 200, DropCode.label_too_long),
        ("\n".join(["hi\tO"] * (MAX_TOKENS + 1)), DropCode.too_many_tokens),
    ],
)
def test_a_sentence_that_cannot_be_used_is_dropped_with_its_reason(lines: str, code: DropCode) -> None:
    first, dropped, last = read(f"a\tO\n\n{lines}\n\nb\tO\n", conll_form())

    assert (first, last) == (sentence(1, "a/O"), sentence(3, "b/O"))
    assert (dropped.row, dropped.code) == (2, code)
    assert dropped.original == (lines.replace("\udcff", "\ufffd"),)
