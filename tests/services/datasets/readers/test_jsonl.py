import pytest

from services.datasets.dropped import DropCode
from services.datasets.examples import TextExample
from services.datasets.readers import jsonl
from tests.services.datasets.factories import jsonl_form


def test_strings_and_numbers_and_truths_are_labels() -> None:
    lines = ['{"text": "a", "label": "x"}', '{"label": 3, "text": "b"}', '{"text": "c", "label": true}']

    assert list(jsonl.read("\r\n".join(lines), jsonl_form())) == [
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
        ('{"text": "a", "label": ' + "9" * 5_000 + "}", DropCode.bad_json),
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

    first, dropped, last = jsonl.read(f"{good}\n{line}\n{good}\n", jsonl_form())

    assert (first, last) == (TextExample(1, "a", "x"), TextExample(3, "a", "x"))
    assert (dropped.row, dropped.code, dropped.original) == (2, code, (line,))


def test_a_line_separator_within_a_string_ends_no_line() -> None:
    (found,) = jsonl.read('{"text": "a\u2028b", "label": "x"}\n', jsonl_form())

    assert found == TextExample(1, "a\u2028b", "x")
