from dataclasses import replace

from services.datasets.differing import differ
from services.datasets.examples import Example, TextExample
from services.datasets.split import Split
from tests.services.datasets.factories import texts

ROWS = texts(a=4, b=4)


def splits(train: list[TextExample], test: list[TextExample]) -> dict[Split, list[Example]]:
    return {Split.train: list(train), Split.validation: [], Split.test: list(test)}


def test_the_same_rows_make_no_difference() -> None:
    found = differ(splits(ROWS[:6], ROWS[6:]), splits(ROWS[:6], ROWS[6:]))

    assert [found.added.count, found.removed.count, found.relabelled.count, found.moved.count] == [0] * 4


def test_rows_that_came_went_say_something_else_or_moved_are_told_apart() -> None:
    came, (went, relabelled, moved, *same) = TextExample(99, "new", "a"), ROWS
    changed = replace(relabelled, label="b")

    found = differ(splits(ROWS[:6], ROWS[6:]), splits([came, changed, *same[:3]], [*same[3:], moved]))

    assert found.added.first == (came,)
    assert found.removed.first == (went,)
    assert found.relabelled.first == (changed,)
    assert found.moved.first == (moved,)


def test_a_copy_that_was_left_out_counts_once() -> None:
    copy = replace(ROWS[0], row=50)

    found = differ(splits([*ROWS, copy], []), splits(ROWS, []))

    assert found.removed.count == 1
    assert found.added.count == 0
