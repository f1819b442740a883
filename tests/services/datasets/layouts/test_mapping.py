import pytest

from services.datasets.detection import Known, guess
from services.datasets.errors import SameColumn, UnknownColumn
from services.datasets.layouts.recognised import Confidence
from services.training.recipe import Task


def csv(header: str, *rows: str) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


TICKETS = [f"where is parcel number {number},{number % 3},{number % 2},note {number}" for number in range(30)]


def test_a_pair_without_a_label_by_name_takes_one_of_the_other_columns() -> None:
    rows = [f"A man sleeps.,thing {number},{'yes' if number % 2 else 'no'}" for number in range(10)]

    form = guess(csv("premise,hypothesis,verdict", *rows)).form

    assert (form.text_column, form.pair_column, form.label_column) == ("premise", "hypothesis", "verdict")


def test_numbers_with_fractions_are_scores_and_whole_ones_are_labels() -> None:
    measured = [f"text {number},{number / 7:.2f}" for number in range(30)]
    stars = [f"text {number},{number % 5}" for number in range(30)]

    assert guess(csv("text,grade", *measured)).form.task is Task.regression
    assert guess(csv("text,stars", *stars)).form.task is Task.text_classification


def test_a_column_called_label_is_the_label_beside_flags() -> None:
    rows = [f"text {number},{number % 2},{number % 2},{number % 2}" for number in range(10)]

    assert guess(csv("text,label,checked,urgent", *rows)).form.label_column == "label"
    assert guess(csv("text,angry,checked,urgent", *rows)).form.label_columns == ("angry", "checked", "urgent")


@pytest.mark.parametrize(
    ("content", "confidence"),
    [
        (csv("text,label", "a b,x", "c d,y"), Confidence.certain),
        (csv("satz,urteil", *(f"Satz {number},{number % 2}" for number in range(20))), Confidence.likely),
        (csv("one,two", *(f"some text {number},other {number}" for number in range(20))), Confidence.unsure),
    ],
)
def test_confidence_is_stated_with_its_reason(content: bytes, confidence: Confidence) -> None:
    found = guess(content)

    assert found.confidence is confidence
    assert found.form.label_column in found.reason


@pytest.mark.parametrize(
    ("known", "text", "label"),
    [
        (Known(label_column="flag"), "text", "flag"),
        (Known(text_column="note"), "note", "flag"),
        (Known(text_column="kind"), "kind", "flag"),
        (Known(label_column="text"), "note", "text"),
        (Known(text_column="note", label_column="flag"), "note", "flag"),
    ],
)
def test_columns_that_are_wanted_leave_the_others_to_be_guessed(known: Known, text: str, label: str) -> None:
    form = guess(csv("text,kind,flag,note", *TICKETS), **known).form

    assert (form.text_column, form.label_column) == (text, label)


def test_wishes_at_odds_are_refused() -> None:
    content = csv("text,label", "a,x", "b,y")

    with pytest.raises(SameColumn):
        guess(content, text_column="label")
    with pytest.raises(UnknownColumn):
        guess(content, label_column="topic")


@pytest.mark.parametrize(
    ("task", "separator", "pair"),
    [
        (Task.text_classification, None, None),
        (Task.multi_label, ",", None),
        (Task.pair_classification, None, "note"),
    ],
)
def test_the_task_may_be_said(task: Task, separator: str | None, pair: str | None) -> None:
    form = guess(csv("text,kind,flag,note", *TICKETS), task=task).form

    assert (form.task, form.separator, form.pair_column) == (task, separator, pair)


def test_numbers_of_several_labels_are_no_decimals() -> None:
    labels = [f"{at % 13},{at * 3 % 13}" if at % 6 == 1 else f"{at % 13}" for at in range(240)]
    decimals = [f"{at % 5},{at * 7 % 9}" for at in range(240)]

    found = [
        guess("".join(f"a text {at} of words\t{cell}\n" for at, cell in enumerate(cells)).encode()).form
        for cells in (labels, decimals)
    ]

    assert [form.task for form in found] == [Task.multi_label, Task.regression]
