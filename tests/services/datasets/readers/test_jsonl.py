import pytest

from services.datasets.dropped import DropCode, Dropped
from services.datasets.examples import Example, TextExample
from services.datasets.readers import jsonl
from tests.services.datasets.factories import jsonl_form, rows


def read(text: str) -> list[Example | Dropped]:
    return rows(jsonl.read(text), jsonl_form())


def test_strings_and_numbers_and_truths_are_labels() -> None:
    lines = ['{"text": "a", "label": "x"}', '{"label": 3, "text": "b"}', '{"text": "c", "label": true}']

    assert read("\r\n".join(lines)) == [
        TextExample(1, "a", "x"),
        TextExample(2, "b", "3"),
        TextExample(3, "c", "true"),
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("", DropCode.empty_row),
        ("{", DropCode.bad_json),
        ('["text", "label"]', DropCode.bad_json),
        ('{"a":' * 50_000, DropCode.bad_json),
        ('{"text": "a", "label": ' + "9" * 5_000 + "}", DropCode.bad_number),
        ('{"text": "a", "label": NaN}', DropCode.bad_number),
        ('{"text": "a", "label": "x", "more": [{"size": -Infinity}]}', DropCode.bad_number),
        ('{"text": "a", "label": "x", "text": "b"}', DropCode.repeated_key),
        ('{"text": "a", "label": "x"} {}', DropCode.bad_json),
        ('{"text": "a"}', DropCode.missing_field),
        ('{"label": "x"}', DropCode.missing_field),
        ('{"text": "a", "label": ["x", "y"]}', DropCode.wrong_type),
        ('{"text": {"a": 1}, "label": "x"}', DropCode.wrong_type),
        ('{"text": "a", "label": null}', DropCode.missing_label),
        ('{"text": " ", "label": "x"}', DropCode.empty_text),
        ('{"text": "\\ud800", "label": "x"}', DropCode.unreadable_row),
        ('{"text": "a", "label": "\\u0000"}', DropCode.unreadable_row),
    ],
)
def test_a_line_that_cannot_be_used_is_dropped_with_its_reason(line: str, code: DropCode) -> None:
    good = '{"text": "a", "label": "x"}'

    first, dropped, last = read(f"{good}\n{line}\n{good}\n")

    assert (first, last) == (TextExample(1, "a", "x"), TextExample(3, "a", "x"))
    assert (dropped.row, dropped.code, dropped.original) == (2, code, (line,))


def test_a_line_separator_within_a_string_ends_no_line() -> None:
    (found,) = read('{"text": "a\u2028b", "label": "x"}\n')

    assert found == TextExample(1, "a\u2028b", "x")
