import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_recall_fscore_support

from services.training.examples import TextExample, TokenExample
from services.training.reporting.evaluation import score_sentences, score_texts
from services.training.reporting.intervals import wilson

LABELS = ["a", "b", "c", "never"]


def create_answers(rows: int = 200) -> tuple[list[TextExample], np.ndarray]:
    chance = np.random.default_rng(0)
    truth = chance.choice(["a", "b", "c"], rows, p=[0.7, 0.2, 0.1])
    scores = chance.dirichlet([3, 1, 1, 0.01], rows).astype(np.float32)
    scores[:, 3] = 0
    return [TextExample(row, f"text {row}", str(label)) for row, label in enumerate(truth, 1)], scores


def test_scores_of_texts_are_those_of_scikit_learn() -> None:
    examples, scores = create_answers()
    truth, predicted = [row.label for row in examples], [LABELS[best] for best in scores.argmax(1)]

    report = score_texts(examples, LABELS, scores)

    assert report.value == report.accuracy == accuracy_score(truth, predicted)
    assert report.macro_f1 == pytest.approx(f1_score(truth, predicted, average="macro"))
    assert report.weighted_f1 == pytest.approx(f1_score(truth, predicted, average="weighted"))
    assert report.micro_f1 == pytest.approx(report.accuracy)
    assert report.interval == wilson(round(report.value * 200), 200)
    per_class = precision_recall_fscore_support(truth, predicted, labels=LABELS, zero_division=0)
    ours = [(row.precision, row.recall, row.f1, row.support) for row in report.per_class]
    assert ours == [pytest.approx(row) for row in zip(*per_class, strict=True)]


def test_the_confusion_matrix_has_truth_down_and_predictions_across() -> None:
    examples, scores = create_answers()
    predicted = [LABELS[best] for best in scores.argmax(1)]

    confusion = score_texts(examples, LABELS, scores).confusion

    assert confusion is not None
    assert confusion.labels == LABELS
    assert (
        confusion.counts
        == confusion_matrix([row.label for row in examples], predicted, labels=LABELS).tolist()
    )


def test_the_most_confident_mistakes_come_first() -> None:
    examples, scores = create_answers()

    worst = score_texts(examples, LABELS, scores).worst

    assert [one.score for one in worst] == sorted((one.score for one in worst), reverse=True)
    assert all(one.truth != one.predicted for one in worst)
    by_row = {row.row: row for row in examples}
    assert all(by_row[one.row].text == one.text and by_row[one.row].label == one.truth for one in worst)


def test_a_perfect_model_has_no_worst_predictions() -> None:
    examples = [TextExample(1, "x", "a"), TextExample(2, "y", "b")]

    report = score_texts(examples, ["a", "b"], np.eye(2, dtype=np.float32))

    assert report.worst == []
    assert report.value == 1.0


SENTENCES = [
    TokenExample(1, ["Ada", "Lovelace", "in", "Rome"], ["B-person", "I-person", "O", "B-city"]),
    TokenExample(2, ["nobody", "here"], ["O", "O"]),
    TokenExample(3, ["Kurt", "spoke"], ["B-person", "O"]),
]
TAGGED = [
    (["B-person", "O", "O", "B-city"], [0.9, 0.8, 1.0, 0.9]),
    (["O", "B-city"], [0.9, 0.95]),
    (["B-person", "O"], [0.7, 0.9]),
]


def test_entities_count_only_with_exactly_their_words() -> None:
    report = score_sentences(SENTENCES, ["city", "person"], TAGGED)

    city, person = report.per_class
    assert (city.precision, city.recall, city.support) == (0.5, 1.0, 1)
    assert (person.precision, person.recall, person.support) == (0.5, 0.5, 2)
    assert report.metric == "f1"
    assert report.value == report.micro_f1 == pytest.approx(2 * 2 / (4 + 3))
    assert report.accuracy == pytest.approx(6 / 8)
    assert report.interval[0] <= report.value <= report.interval[1]


def test_a_wrong_sentence_shows_what_was_there_and_what_was_found() -> None:
    worst = score_sentences(SENTENCES, ["city", "person"], TAGGED).worst

    assert [one.row for one in worst] == [2, 1]
    assert (worst[0].truth, worst[0].predicted) == ("no entity", "here (city)")
    assert worst[1].truth == "Ada Lovelace (person), Rome (city)"
    assert worst[1].predicted == "Ada (person), Rome (city)"


def test_a_type_that_neither_is_nor_was_found_weighs_nothing() -> None:
    with_more = score_sentences(SENTENCES, ["city", "other", "person"], TAGGED)

    assert with_more.macro_f1 == score_sentences(SENTENCES, ["city", "person"], TAGGED).macro_f1
    assert with_more.per_class[1].support == 0
