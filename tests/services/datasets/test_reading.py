import csv
import io
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.datasets import reading as reading_module
from services.datasets.detection import detect
from services.datasets.dropped import DropCode
from services.datasets.encodings import Encoding
from services.datasets.errors import TooManyRows
from services.datasets.examples import TextExample
from services.datasets.formats import Format
from services.datasets.preview import DEFAULT_SEED, preview_of
from services.datasets.reading import Reading, read
from services.errors import ServiceError
from tests.services.datasets.factories import conll_form, csv_form, jsonl_form

# Pieces that the readers treat as special, so that chance meets their corners often.
PIECES = st.sampled_from(
    (
        *(
            b'"',
            b",",
            b"\n",
            b"\r",
            b"\t",
            b";",
            b"{",
            b"}",
            b"[",
            b" ",
            b"\n\n",
            b"\x00",
            b"\xff",
            b"\xc3\xa4",
        ),
        *(b"text", b"label", b"O", b"B-x", b"-DOCSTART-", b"\\ud800"),
        *(b'{"text":"a","label":"b"}\n', b"a,b\n", b"a\tB-x\n"),
    )
)
FILES = st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=60).map(b"".join))


def test_every_row_of_a_mixed_file_is_used_or_dropped() -> None:
    content = b'text,label\na,x\n,y\nb,\n"c\nd",x\n\ne,f,g\nh,y\n'

    found = read(content, csv_form())

    assert found.examples == (
        TextExample(2, "a", "x"),
        TextExample(5, "c\nd", "x"),
        TextExample(8, "h", "y"),
    )
    assert [(item.row, item.code) for item in found.dropped] == [
        (3, DropCode.empty_text),
        (4, DropCode.missing_label),
        (6, DropCode.empty_row),
        (7, DropCode.wrong_column_count),
    ]
    assert found.rows_in == 7


def test_a_damaged_row_is_dropped_and_its_neighbours_are_read() -> None:
    content = "text,label\nschön,x\n".encode() * 1 + "süß,y\n".encode() * 10 + b"gr\xfcn,x\nrot,x\n"

    found = read(content, detect(content))

    assert [(item.row, item.code, item.original) for item in found.dropped] == [
        (13, DropCode.unreadable_row, ("gr\ufffdn", "x"))
    ]
    assert len(found.examples) == 12


def test_more_rows_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_module, "MAX_ROWS", 3)

    assert read(b"text,label\n" + b"a,x\n" * 3, csv_form()).rows_in == 3
    with pytest.raises(TooManyRows):
        read(b"text,label\n" + b"a,x\n" * 4, csv_form())


def assert_adds_up(found: Reading) -> None:
    numbers = sorted([item.row for item in found.examples] + [item.row for item in found.dropped])
    assert len(numbers) == found.rows_in
    # No number twice and none left out: nothing was dropped in silence.
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) if numbers else True


@settings(max_examples=300, deadline=None)
@example(content=b'a,b\n"c,d\ne,f\n')
@given(content=FILES)
def test_any_bytes_are_read_to_the_last_row_or_refused_in_words(content: bytes) -> None:
    try:
        form = detect(content)
        preview = preview_of(read(content, form), seed=DEFAULT_SEED)
    except ServiceError:
        return

    assert preview.rows_in == preview.rows_used + sum(group.count for group in preview.dropped)
    assert_adds_up(read(content, form))


@settings(max_examples=200, deadline=None)
@given(
    content=FILES,
    form=st.sampled_from([csv_form(), csv_form(delimiter=";", has_header=False), jsonl_form(), conll_form()]),
    encoding=st.sampled_from(Encoding),
)
def test_any_bytes_are_read_in_any_format_or_refused_in_words(
    content: bytes, form: Format, encoding: Encoding
) -> None:
    try:
        found = read(content, form.model_copy(update={"encoding": encoding}))
    except ServiceError:
        return

    assert_adds_up(found)


WORDS = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)


@settings(deadline=None)
@given(rows=st.lists(st.tuples(WORDS, WORDS), min_size=1), delimiter=st.sampled_from(",;|\t"))
def test_every_record_of_a_csv_file_counts(rows: list[tuple[str, str]], delimiter: str) -> None:
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=delimiter).writerows([("text", "label"), *rows])

    found = read(target.getvalue().encode(), csv_form(delimiter=delimiter))

    assert found.rows_in == len(rows)
    used = [(text.strip(), label.strip()) for text, label in rows if text.strip() and label.strip()]
    assert [(item.text, item.label) for item in found.examples if isinstance(item, TextExample)] == used


@settings(deadline=None)
@given(rows=st.lists(WORDS, min_size=1))
def test_every_line_of_a_jsonl_file_counts(rows: list[str]) -> None:
    lines = [json.dumps({"text": text, "label": "x"}) for text in rows]

    assert read("\n".join(lines).encode(), jsonl_form()).rows_in == len(rows)
