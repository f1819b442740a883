import pytest

from services.datasets.dropped import DropCode
from services.datasets.examples import MultiLabelExample, TextExample
from services.datasets.layouts.annotators import Answer, agreement, decided, majority
from services.datasets.notes import NoteCode, Notes
from services.training.recipe import Task


def test_what_more_than_half_say_counts() -> None:
    assert majority([("a", "b"), ("a",), ("b", "a"), ("c",)]) == ["a"]
    assert majority([("a", "b")]) == ["a", "b"]


def test_saying_it_twice_is_one_vote() -> None:
    assert majority([("a", "a"), ("b",), ("b",)]) == ["b"]


@pytest.mark.parametrize(
    ("answers", "share"),
    [([("a",), ("a",)], 1.0), ([("a",), ("b",)], 0.0), ([(), ()], 1.0), ([("a", "b"), ("a",)], 0.5)],
)
def test_agreement_is_what_two_have_in_common(answers: list[Answer], share: float) -> None:
    assert agreement(answers) == share


def test_of_single_labels_the_most_frequent_counts_even_without_half_of_the_votes() -> None:
    notes = Notes()
    answers: list[Answer] = [("a",), ("b",), ("b",), ("c",), ("d",)]

    assert decided(1, " text ", answers, Task.text_classification, notes) == TextExample(1, "text", "b")
    assert [note.code for note in notes.told()] == [NoteCode.several_annotators]


def test_nobody_needs_to_choose_a_label_among_several() -> None:
    assert decided(1, "text", [()], Task.multi_label, Notes()) == MultiLabelExample(1, "text", ())
    assert decided(1, "text", [()], Task.text_classification, Notes()) is DropCode.missing_label


def test_an_answer_that_cannot_be_read_drops_the_row() -> None:
    assert decided(1, "text", [("a",), None], Task.multi_label, Notes()) is DropCode.wrong_type
    assert decided(1, 7, [("a",)], Task.multi_label, Notes()) is DropCode.wrong_type
    assert decided(1, "text", [], Task.multi_label, Notes()) is DropCode.not_annotated
