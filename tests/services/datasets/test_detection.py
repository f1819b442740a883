import pytest

from services.datasets.detection import detect
from services.datasets.encodings import Encoding
from services.datasets.errors import OneColumn, TooManyColumns, UnsupportedFormat
from services.datasets.formats import Container
from services.errors import ServiceError
from services.training.recipe import Task


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("text,label\nhello there,greeting\nhi; you,greeting\n", ","),
        ("text\tlabel\nwell, hello, you\tgreeting\n", "\t"),
        ("text;label\nwell, hello;greeting\nhi, you;greeting\n", ";"),
        ("text|label\nwell, hello|greeting\n", "|"),
        ('text,label\n"one, two; three",x\n"four\nlines; of",y\n', ","),
    ],
)
def test_the_delimiter_is_the_one_that_divides_every_record_alike(content: str, delimiter: str) -> None:
    form = detect(content.encode())

    assert (form.container, form.delimiter) == (Container.delimited, delimiter)
    assert (form.has_header, form.text_column, form.label_column) == (True, "text", "label")
    assert form.task is Task.text_classification


def test_columns_are_known_by_their_names_wherever_they_stand() -> None:
    form = detect(
        b"id,Category,created_at,Message\n1,a,2024-01-01,where is it\n2,b,2024-01-01,thanks a lot\n"
    )

    assert (form.text_column, form.label_column) == ("Message", "Category")


def test_columns_with_unknown_names_are_told_by_what_stands_in_them() -> None:
    rows = [f"n{number},{'ja' if number % 2 else 'nein'},so etwas wie Satz {number}" for number in range(20)]

    form = detect("\n".join(["nr,urteil,satz", *rows]).encode())

    assert (form.has_header, form.text_column, form.label_column) == (True, "satz", "urteil")


def test_a_file_without_header_has_numbered_columns() -> None:
    rows = [f"{'ham' if number % 3 else 'spam'},what was written in mail {number}" for number in range(20)]

    form = detect("\n".join(rows).encode())

    assert not form.has_header
    assert form.columns == ("column 1", "column 2")
    assert (form.text_column, form.label_column) == ("column 2", "column 1")


def test_a_label_that_is_called_like_a_column_does_not_make_a_header() -> None:
    rows = [f"{'question' if number % 2 == 0 else 'praise'},some words {number}" for number in range(20)]

    assert not detect("\n".join(rows).encode()).has_header


def test_repeated_and_empty_column_names_are_told_apart() -> None:
    form = detect(b"text,label,,label\na b,x,,y\n")

    assert form.columns == ("text", "label", "column 3", "label 2")


def test_jsonl_is_known_by_its_objects() -> None:
    form = detect(b'{"text": "hello", "label": 1, "id": "x"}\nnot json\n{"text": "bye", "label": 0}\n')

    assert (form.container, form.delimiter, form.columns) == (Container.jsonl, None, ("text", "label", "id"))
    assert (form.text_column, form.label_column) == ("text", "label")


@pytest.mark.parametrize(
    ("content", "delimiter", "columns"),
    [
        ("Empire\tB-location\nState\tI-location\n\t\nhi\tO\n", "\t", 2),
        ("-DOCSTART- -X- -X- O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\nPeter NNP B-NP B-PER\n", " ", 4),
        ("EU S-ORG\r\nhas O\r\n\r\nNew B-LOC\r\nYork E-LOC\r\n", " ", 2),
    ],
)
def test_conll_is_known_by_its_tags(content: str, delimiter: str, columns: int) -> None:
    form = detect(content.encode())

    assert (form.container, form.delimiter) == (Container.conll, delimiter)
    assert (form.text_column, form.label_column) == ("column 1", f"column {columns}")
    assert form.task is Task.token_classification


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b'{\n"text": "a",\n"label": "b"\n}\n', "without a list of rows"),
        (b'{"train": [{"text": "a"}], "test": [{"text": "b"}],\n"x": 1}', "several lists of rows"),
        (b'{"text": "a"}\n{"text": "b"}\n', "single field"),
        (
            b"the\tDET\ncat\tNOUN\nsat\tVERB\nthere\tADV\n\nit\tPRON\nate\tVERB\na\tDET\nfish\tNOUN\n",
            "no entities",
        ),
    ],
)
def test_what_is_known_but_not_read_is_refused_by_its_name(content: bytes, found: str) -> None:
    with pytest.raises(UnsupportedFormat, match=found):
        detect(content)


@pytest.mark.parametrize(
    "content", [b"only\nwords\nin lines\n", b"# Title\n\nSome prose, and more.\n\nThe end.\n"]
)
def test_a_file_of_one_column_is_refused(content: bytes) -> None:
    with pytest.raises(OneColumn):
        detect(content)


def test_a_very_wide_table_is_refused() -> None:
    with pytest.raises(TooManyColumns, match="10,000 columns"):
        detect(b",".join([b"x"] * 10_000) + b"\n")


def test_what_is_given_is_not_guessed() -> None:
    content = "größe;ja\nkleid;nein\n".encode("cp1252")

    form = detect(content, encoding=Encoding.gb18030, delimiter=";", has_header=True)

    assert (form.encoding, form.has_header, form.delimiter) == (Encoding.gb18030, True, ";")
    assert form.columns[1] == "ja"


@pytest.mark.parametrize(
    "content",
    [
        b" " * 300_000 + b"a,b",
        b"-DOCSTART-\n",
        b",,,\n,,,\n",
        b'"',
        b"{",
        b"[" * 5_000,
        b'{"a":' * 5_000,
        b"\r",
    ],
)
def test_odd_files_are_refused_rather_than_stumbled_over(content: bytes) -> None:
    for container in [None, *Container]:
        with pytest.raises(ServiceError):
            detect(content, container=container)
