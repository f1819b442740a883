import pytest

from services.datasets.dropped import DropCode, Dropped
from services.datasets.errors import EmptyFile, UnknownColumn
from services.datasets.examples import Example, TextExample
from services.datasets.formats import Format
from services.datasets.limits import MAX_LABEL_CHARACTERS, MAX_TEXT_CHARACTERS
from services.datasets.readers import delimited
from services.datasets.readers.delimited import DELIMITERS
from tests.services.datasets.factories import csv_form, rows

INCHES = '"5 inches,x\n"6 inches,y\n'


def read(text: str, form: Format) -> list[Example | Dropped]:
    return rows(delimited.read(text, form), form)


def test_a_quoted_cell_of_several_lines_is_one_row() -> None:
    text = 'text,label\n"hello,\n\n""you"" there",greeting\r\nbye,farewell\n'

    assert read(text, csv_form()) == [
        TextExample(2, 'hello,\n\n"you" there', "greeting"),
        TextExample(3, "bye", "farewell"),
    ]


def test_white_space_around_text_and_label_is_no_part_of_them() -> None:
    assert read("text,label\n  hello  , greeting\t\n", csv_form()) == [TextExample(2, "hello", "greeting")]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("", DropCode.empty_row),
        (" , ", DropCode.empty_row),
        (",greeting", DropCode.empty_text),
        ("hello,", DropCode.missing_label),
        ("hello", DropCode.wrong_column_count),
        ("well, hello,greeting", DropCode.wrong_column_count),
        ("hello \udcff,greeting", DropCode.unreadable_row),
        ("hello,gre\udcffeting", DropCode.unreadable_row),
        ("x" * (MAX_TEXT_CHARACTERS + 1) + ",greeting", DropCode.text_too_long),
        ("x" * 200_000 + ",greeting", DropCode.unreadable_row),
        ("hello," + "x" * (MAX_LABEL_CHARACTERS + 1), DropCode.label_too_long),
    ],
)
def test_a_row_that_cannot_be_used_is_dropped_with_its_reason(line: str, code: DropCode) -> None:
    first, dropped, last = read(f"text,label\na,x\n{line}\nb,y\n", csv_form())

    assert (first, last) == (TextExample(2, "a", "x"), TextExample(4, "b", "y"))
    assert isinstance(dropped, Dropped)
    assert (dropped.row, dropped.code) == (3, code)


def test_a_dropped_row_keeps_its_cells() -> None:
    (dropped,) = read("text,label\nwell, \udcff,greeting\n", csv_form())

    assert dropped.original == ("well", " \ufffd", "greeting")


@pytest.mark.parametrize(
    "stray",
    [
        '"hello,greeting',  # never closed
        '"hello" you,"greeting',
    ],
)
def test_a_stray_quote_costs_its_own_row_alone(stray: str) -> None:
    rest = [f"text {number},label" for number in range(500)]

    found = read("\n".join(["text,label", stray, *rest]), csv_form())

    assert (found[0].row, found[0].code, found[0].original) == (2, DropCode.unreadable_row, (stray,))
    assert found[1:] == [TextExample(3 + number, f"text {number}", "label") for number in range(500)]


def test_two_stray_quotes_do_not_swallow_the_rows_between_them() -> None:
    text = 'text,label\n"one,x\ntwo,x\nthree "so" it is,x\nfour",x\nfive,x\n'

    found = read(text, csv_form())

    assert [(item.row, type(item)) for item in found] == [
        (2, Dropped),
        (3, TextExample),
        (4, TextExample),
        (5, TextExample),
        (6, TextExample),
    ]


def test_a_row_over_several_lines_with_too_many_cells_does_not_swallow_them() -> None:
    text = 'text,label\n"one,x\ntwo,x\nthree",x,y\nfour,x\n'

    found = read(text, csv_form())

    assert [item.row for item in found] == [2, 3, 4, 5]
    assert [item.row for item in found if isinstance(item, TextExample)] == [3, 5]


def test_an_open_quote_in_the_last_row_costs_that_row() -> None:
    first, last = read('text,label\na,x\nb,"y\n', csv_form())

    assert first == TextExample(2, "a", "x")
    assert (last.row, last.code) == (3, DropCode.unreadable_row)


def test_a_file_of_stray_quotes_is_read_in_time_that_grows_with_its_length() -> None:
    # Every line closes the quote of the line before and opens another, up to the end.
    found = read("text,label\n" + 'x","y\n' * 20_000, csv_form())

    assert {(type(item), item.code) for item in found} == {(Dropped, DropCode.unreadable_row)}
    assert len(found) == 20_000


def test_quotes_inside_of_a_cell_are_characters() -> None:
    text = 'text,label\nthe 5" pipe,size\n"Good" day,greeting\n'

    assert [item.text for item in read(text, csv_form())] == ['the 5" pipe', "Good day"]


def test_empty_lines_after_the_last_row_are_no_rows() -> None:
    assert len(read("text,label\na,x\n\n  \n\n", csv_form())) == 1


def test_a_last_row_of_empty_cells_is_a_row_whatever_the_delimiter() -> None:
    for delimiter in DELIMITERS:
        text = "text,label\na,x\n,\n\n".replace(",", delimiter)

        _, last = read(text, csv_form(delimiter=delimiter))

        assert (last.row, last.code) == (3, DropCode.empty_row)


def test_columns_are_found_by_name_where_a_file_has_them_in_another_order() -> None:
    (found,) = read("label,number,text\nx,7,a\n", csv_form())

    assert found == TextExample(2, "a", "x")


def test_a_header_without_the_label_column_is_refused() -> None:
    with pytest.raises(UnknownColumn, match="“text”, “intent”"):
        read("text,intent\na,x\n", csv_form())


def test_without_header_the_first_row_counts() -> None:
    form = csv_form(
        has_header=False, columns=("column 1", "column 2"), text_column="column 2", label_column="column 1"
    )

    assert read("x,a\n", form) == [TextExample(1, "a", "x")]


def test_a_file_of_bare_delimiters_is_empty() -> None:
    with pytest.raises(EmptyFile):
        read(",\n,\n", csv_form())


@pytest.mark.parametrize(
    ("line", "quote"),
    [
        ('"a, b {at}",x\n', '"'),
        ("'it''s {at}, or so',x\n", "'"),
        ("the dogs' {at} bowls,'x\n", '"'),
        ('"{at} inches,x\n', None),
    ],
)
def test_what_stands_around_cells_is_detected(line: str, quote: str | None) -> None:
    text = "".join(line.replace("{at}", str(at)) for at in range(40))

    assert delimited.detect_quote(text, ",") == quote


def test_a_quote_that_is_a_letter_like_any_other_opens_nothing() -> None:
    cells = [row.cells for row in delimited.rows(INCHES, ",", quote=None)]

    assert cells == [('"5 inches', "x"), ('"6 inches', "y")]
