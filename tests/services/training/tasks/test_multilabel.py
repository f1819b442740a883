"""Several labels for each text: whole runs on a tiny base model, and the thresholds that they choose."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from services.inference import engine
from services.inference.predictions import LabelsPrediction
from services.training import artefact
from services.training.examples import MultiLabelExample, read_labelled
from services.training.failures import DataDoesNotFit
from services.training.recipe import Preset, Task
from services.training.reporting import labels_scores, thresholds
from services.training.reporting.answered import ANSWERED, read, units
from services.training.run import run
from tests.services.training.tiny import create_run

TASK = Task.multi_label
LABELS = ["animal", "colour", "tool"]
BRIEF = {"epochs": 2, "learning_rate": 2e-3, "batch_size": 8}


@pytest.mark.parametrize(("preset", "changes"), [(Preset.quick, {}), (Preset.best, BRIEF)])
def test_the_engine_gives_the_labels_that_the_report_counts(
    tmp_path: Path, base_model: Path, preset: Preset, changes: dict[str, float]
) -> None:
    folder = create_run(tmp_path / "run", base_model, task=TASK, preset=preset, **changes)

    report = run(folder)

    test = read_labelled(folder.split("test"))
    answers = engine.load(folder.model).predict([row.text for row in test])
    answered = [answer.labels for answer in answers if isinstance(answer, LabelsPrediction)]
    truth = labels_scores.indicators([row.labels for row in test], LABELS)
    found = labels_scores.indicators(answered, LABELS)
    assert len(answered) == len(test)
    assert report.value == pytest.approx(f1_score(truth, found, average="micro"))
    assert report.macro_f1 == pytest.approx(f1_score(truth, found, average="macro"))
    assert report.accuracy == pytest.approx((truth == found).all(1).mean())
    assert report.interval[0] <= report.value <= report.interval[1]
    assert report.value > report.baselines[0].value
    others = [] if preset is Preset.quick else ["quick"]
    assert [one.name for one in report.baselines] == [
        "most-frequent-labels",
        "tfidf-logistic-regression",
        *others,
    ]


def test_the_answer_holds_all_scores_and_the_thresholds_of_the_card(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model, task=TASK)
    run(folder)

    (answer,) = engine.load(folder.model).predict(["the red cat"])

    assert isinstance(answer, LabelsPrediction)
    assert list(answer.thresholds.values()) == artefact.read_card(folder.model).thresholds
    reached = [label for label in LABELS if answer.scores[label] >= answer.thresholds[label]]
    assert answer.labels == sorted(reached, key=lambda label: -answer.scores[label])


def test_the_engine_is_as_sure_of_a_text_as_the_evidence_says(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model, task=TASK)
    run(folder)
    rows = [row for row in read((folder.model / ANSWERED).read_bytes()) if row.split == "test"]

    answers = engine.load(folder.model).predict([row.text for row in rows])

    assert [one.confidence for one in answers if isinstance(one, LabelsPrediction)] == pytest.approx(
        [row.certainty for row in rows], abs=1e-4
    )
    confidence, right = units(rows)
    assert confidence.tolist() == [row.certainty for row in rows]
    assert right.tolist() == [row.right for row in rows]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": []}, "No row has a label"),
        ({"labels": ["animal", "colour"]}, "'tool'"),
        ({"test": []}, "test split has no rows"),
    ],
)
def test_data_that_does_not_fit_is_named(
    tmp_path: Path, base_model: Path, change: dict[str, object], says: str
) -> None:
    folder = create_run(tmp_path / "run", base_model, task=TASK, **change)  # type: ignore[arg-type]

    with pytest.raises(DataDoesNotFit, match=says):
        run(folder)


def test_scores_are_those_of_scikit_learn_also_where_a_label_is_never_given() -> None:
    labels = ["a", "b", "c"]
    rows = [["a"], ["a", "b"], [], ["c"]]
    examples = [MultiLabelExample(number, "x", names) for number, names in enumerate(rows, 1)]
    probabilities = np.array([[0.9, 0.1, 0.1], [0.8, 0.4, 0.2], [0.6, 0.1, 0.3], [0.1, 0.7, 0.2]], np.float32)

    scores = labels_scores.score(examples, labels, probabilities, np.full(3, 0.5, np.float32))

    truth, found = labels_scores.indicators(rows, labels), probabilities >= 0.5
    assert scores.micro_f1 == f1_score(truth, found, average="micro")
    assert scores.macro_f1 == f1_score(truth, found, average="macro", zero_division=0)
    assert scores.weighted_f1 == f1_score(truth, found, average="weighted", zero_division=0)
    assert scores.accuracy == 0.25
    assert [(part.label, part.support) for part in scores.per_class] == [("a", 2), ("b", 1), ("c", 1)]
    assert [(one.row, one.truth, one.predicted) for one in scores.worst] == [
        (4, "c", "b"),
        (2, "a, b", "a"),
        (3, "no label", "a"),
    ]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.2, 0.3, 0.5, 0.8, 0.9])), min_size=20))
def test_no_other_threshold_is_better(rows: list[tuple[bool, float]]) -> None:
    truth = np.array([[one] for one, _ in rows])
    probabilities = np.array([[one] for _, one in rows], np.float32)

    def f1(threshold: float) -> float:
        answers = thresholds.given(probabilities, np.array([threshold], np.float32))
        return labels_scores.micro_f1(truth, answers)

    (chosen,) = thresholds.choose(truth, probabilities)

    assert f1(chosen) >= max(map(f1, (0.05, 0.15, 0.25, 0.4, 0.6, 0.85))) - 1e-12


def test_a_label_has_its_own_threshold_as_far_as_rows_show_it() -> None:
    truth = np.zeros((2_000, 3), np.bool_)
    truth[:600, 0] = truth[:2, 1] = True
    probabilities = np.full((2_000, 3), 0.1, np.float32)
    probabilities[:600, 0], probabilities[:2, 1] = 0.7, 0.3

    often, rarely, never = thresholds.choose(truth, probabilities)

    # Its own are 0.4, 0.2 and 0.5; that of all lies between 0.3 and 0.1.
    assert often == pytest.approx((600 * 0.4 + 300 * 0.2) / 900)
    assert rarely == pytest.approx(0.2)
    assert never == pytest.approx(0.2)
