import pytest

from services.training.reporting.entity_errors import ErrorKind, count, errors
from services.training.reporting.spans import Span

LONDON = Span("city", 2, 3)


@pytest.mark.parametrize(
    ("true", "predicted", "kinds"),
    [
        ([LONDON], [LONDON], []),
        ([LONDON], [Span("city", 2, 4)], [ErrorKind.boundary]),
        ([LONDON], [Span("person", 2, 3)], [ErrorKind.type]),
        ([LONDON], [Span("person", 1, 3)], [ErrorKind.both]),
        ([LONDON], [], [ErrorKind.missed]),
        ([], [LONDON], [ErrorKind.extra]),
        ([LONDON], [Span("city", 5, 6)], [ErrorKind.missed, ErrorKind.extra]),
    ],
)
def test_each_kind_has_its_name(true: list[Span], predicted: list[Span], kinds: list[ErrorKind]) -> None:
    assert [mistake.kind for mistake in errors(true, predicted)] == kinds


def test_an_entity_has_part_in_one_mistake_at_most() -> None:
    # One true entity was cut in two: the half of the same type is its counterpart, the other is extra.
    mistakes = errors([Span("city", 0, 4)], [Span("person", 0, 3), Span("city", 3, 4)])

    assert [(one.kind, one.predicted) for one in mistakes] == [
        (ErrorKind.boundary, Span("city", 3, 4)),
        (ErrorKind.extra, Span("person", 0, 3)),
    ]


def test_the_same_words_are_paired_before_what_overlaps() -> None:
    mistakes = errors([Span("city", 0, 2)], [Span("city", 0, 3), Span("person", 0, 2)])

    assert [one.kind for one in mistakes] == [ErrorKind.type, ErrorKind.extra]


def test_mistakes_are_counted_over_sentences() -> None:
    counted = count([[LONDON], [LONDON]], [[], [LONDON]])

    assert counted == {ErrorKind.missed: 1}
