from hypothesis import given
from hypothesis import strategies as st

from services.datasets.dropped import DropCode, drop
from services.datasets.errors import OneClass
from services.datasets.examples import Example, MultiLabelExample, PairExample, ScoreExample, TextExample
from services.datasets.findings.catalogue import ADVICE, Code, Severity
from services.datasets.findings.examine import examine
from services.datasets.notes import Note, NoteCode
from tests.services.datasets.factories import sentence, texts

STRINGS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1)
ANY_EXAMPLES = st.lists(
    st.one_of(
        st.builds(TextExample, st.integers(1, 10**6), STRINGS, STRINGS),
        st.builds(MultiLabelExample, st.integers(1, 10**6), STRINGS, st.lists(STRINGS).map(tuple)),
        st.builds(PairExample, st.integers(1, 10**6), STRINGS, STRINGS, STRINGS),
        st.builds(ScoreExample, st.integers(1, 10**6), STRINGS, STRINGS, st.floats(-1, 1)),
    ),
    unique_by=lambda example: example.row,
)


def test_rows_in_are_rows_used_and_rows_dropped_by_reason() -> None:
    dropped = [
        drop(50, DropCode.empty_text),
        drop(51, DropCode.empty_text),
        drop(52, DropCode.missing_label, "hi", ""),
    ]

    diagnosis = examine(texts(a=20, b=20), dropped)

    assert diagnosis.rows_in == 43
    assert diagnosis.rows_used == 40
    assert diagnosis.dropped == {DropCode.empty_text: 2, DropCode.missing_label: 1}


def test_each_reason_for_leaving_rows_out_is_a_finding_with_what_stood_there() -> None:
    dropped = [drop(52, DropCode.missing_label, "hi", ""), drop(60, DropCode.missing_label, "you", "")]

    (finding,) = (f for f in examine(texts(a=90, b=90), dropped).findings if f.code == "missing_label")

    assert finding.severity is Severity.warning
    assert list(finding.rows) == [52, 60]
    assert [shown.text for shown in finding.excerpts] == ["hi | ", "you | "]
    assert finding.title == "The label is missing"


def test_what_a_fix_left_out_is_counted_and_no_finding() -> None:
    diagnosis = examine(texts(a=90, b=90), [drop(500, DropCode.left_out_by_fix, "hi")])

    assert diagnosis.dropped == {DropCode.left_out_by_fix: 1}
    assert not diagnosis.findings


def test_what_was_put_right_while_reading_is_a_note() -> None:
    note = Note(NoteCode.trimmed_spans, 3, (1, 2, 3), "Spaces were taken off.")

    (finding,) = (f for f in examine(texts(a=90, b=90), notes=[note]).findings if f.code == note.code)

    assert (finding.severity, finding.count, finding.detail) == (Severity.note, 3, "Spaces were taken off.")


def test_a_problem_is_an_error_and_comes_first() -> None:
    diagnosis = examine(texts(a=5), [drop(50, DropCode.empty_text)], problem=OneClass("a"))

    assert not diagnosis.usable
    assert [diagnosis.findings[0].code, diagnosis.findings[0].severity] == ["one_class", Severity.error]
    assert examine(texts(a=90, b=90)).usable


def test_findings_come_by_severity_and_then_by_count() -> None:
    many = [TextExample(row, "the same", "a") for row in range(500, 600)]
    mail = [TextExample(600, "x@example.com", "a")]
    diagnosis = examine([*texts(a=90, b=90), *many, *mail], problem=OneClass("a"))

    ranks = [(list(Severity).index(finding.severity), -finding.count) for finding in diagnosis.findings]
    assert ranks == sorted(ranks)
    assert {Severity.error, Severity.warning, Severity.note} == {f.severity for f in diagnosis.findings}


def test_nothing_to_examine_is_examined_too() -> None:
    diagnosis = examine([], [drop(1, DropCode.empty_row)])

    assert diagnosis.rows_in == 1
    assert [finding.code for finding in diagnosis.findings] == ["empty_row", "too_little_data"]


def test_every_code_has_its_advice() -> None:
    assert set(ADVICE) == set(Code)
    for advice in ADVICE.values():
        assert advice.why.endswith(".")
        assert advice.what_to_do.endswith(".")


@given(ANY_EXAMPLES)
def test_whatever_the_data_each_finding_counts_rows_of_the_data(examples: list[Example]) -> None:
    diagnosis = examine([*examples, sentence(2_000_000, "Rome/B-place")])

    known = {example.row for example in examples} | {2_000_000}
    for finding in diagnosis.findings:
        assert set(finding.rows) <= known
        assert finding.count == (len(finding.rows) or 1)
        assert {shown.row for shown in finding.excerpts} <= known
