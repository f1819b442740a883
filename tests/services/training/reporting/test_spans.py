import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics import classification_report, f1_score
from seqeval.metrics.sequence_labeling import get_entities

from services.training.reporting.spans import Span, count, f1, score, spans

TAGS = st.sampled_from(["O", "B-person", "I-person", "B-creative-work", "I-creative-work", "B-x", "I-x"])
SENTENCE = st.lists(TAGS, max_size=12)
PAIRS = st.lists(
    st.integers(0, 8).flatmap(
        lambda n: st.tuples(st.lists(TAGS, min_size=n, max_size=n), st.lists(TAGS, min_size=n, max_size=n))
    ),
    min_size=1,
    max_size=6,
)


def test_an_entity_ends_where_its_tags_end() -> None:
    tags = ["O", "B-person", "I-person", "O", "B-place", "B-place", "I-place"]

    assert spans(tags) == [Span("person", 1, 3), Span("place", 4, 5), Span("place", 5, 7)]


def test_a_continuation_of_nothing_begins_an_entity() -> None:
    assert spans(["I-a", "I-b", "O", "I-b"]) == [Span("a", 0, 1), Span("b", 1, 2), Span("b", 3, 4)]


@given(SENTENCE)
def test_spans_are_those_of_seqeval(tags: list[str]) -> None:
    assert [(span.type, span.start, span.end - 1) for span in spans(tags)] == get_entities(tags)


@given(PAIRS)
def test_scores_are_those_of_seqeval(pairs: list[tuple[list[str], list[str]]]) -> None:
    truth, predicted = [list(pair[0]) for pair in pairs], [list(pair[1]) for pair in pairs]
    correct, found, wanted = count(truth, predicted)
    types = set(found) | set(wanted)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = f1_score(truth, predicted)
        table = classification_report(truth, predicted, output_dict=True) if types else {}

    assert f1(truth, predicted) == pytest.approx(theirs)
    for type_ in types:
        ours = score(correct[type_], found[type_], wanted[type_])
        row = table[type_]
        assert (ours.precision, ours.recall, ours.f1, ours.support) == pytest.approx(
            (row["precision"], row["recall"], row["f1-score"], row["support"])
        )


def test_nothing_found_where_nothing_is_scores_zero() -> None:
    assert f1([["O"]], [["O"]]) == 0.0
