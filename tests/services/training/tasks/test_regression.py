"""A number for each text or pair: whole runs on a tiny base model, and definitions beside the libraries'."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from services.inference import engine
from services.inference.predictions import Input, Pair, ScorePrediction
from services.training.examples import ScoreExample, read_scored
from services.training.failures import DataDoesNotFit
from services.training.recipe import Preset, Task
from services.training.reporting import regression_scores
from services.training.run import run
from tests.services.training.tiny import create_run, create_scored

TASK = Task.regression
BRIEF = {"epochs": 2, "learning_rate": 2e-3, "batch_size": 8}


@pytest.mark.parametrize(("preset", "changes"), [(Preset.quick, {}), (Preset.custom, BRIEF)])
@pytest.mark.parametrize("pairs", [False, True])
def test_the_engine_answers_as_the_report_says(
    tmp_path: Path, base_model: Path, preset: Preset, changes: dict[str, float], pairs: bool
) -> None:
    splits = {
        name: create_scored(rows, seed=rows, pairs=pairs)
        for name, rows in (("train", 120), ("validation", 30), ("test", 40))
    }
    folder = create_run(tmp_path / "run", base_model, task=TASK, preset=preset, **splits, **changes)  # type: ignore[arg-type]

    report = run(folder)

    test = read_scored(folder.split("test"))
    asked: list[Input] = [Pair(first=row.first, second=row.second) if pairs else row.first for row in test]
    answers = engine.load(folder.model).predict(asked)
    found = [answer.score for answer in answers if isinstance(answer, ScorePrediction)]
    truth = [row.score for row in test]
    assert report.errors is not None
    assert report.value == report.errors.r2 == pytest.approx(r2_score(truth, found), abs=1e-4)
    assert report.errors.mae == pytest.approx(mean_absolute_error(truth, found), abs=1e-3)
    assert report.interval[0] < report.value < report.interval[1]


def test_quick_learns_and_four_of_five_lie_within_the_band(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(
        tmp_path / "run",
        base_model,
        task=TASK,
        validation=create_scored(200, seed=2),
        test=create_scored(200, seed=3),
    )

    report = run(folder)

    # The validation rows chose the band; test rows are what it is for.
    held_out = read_scored(folder.split("test"))
    answers = engine.load(folder.model).predict([row.first for row in held_out])
    within = [
        isinstance(answer, ScorePrediction) and abs(answer.score - row.score) <= answer.error + 1e-3
        for row, answer in zip(held_out, answers, strict=True)
    ]
    assert report.value > report.baselines[0].value
    assert sum(within) / len(within) == pytest.approx(0.8, abs=0.1)


def test_errors_are_those_of_the_libraries() -> None:
    chance = np.random.default_rng(5)
    truth = np.round(chance.normal(50, 9, 60))
    answers = truth + chance.normal(1, 4, 60)
    examples = [ScoreExample(row, "x", "", float(one)) for row, one in enumerate(truth)]

    errors = regression_scores.score(examples, answers).errors

    assert errors is not None
    assert errors.mae == pytest.approx(mean_absolute_error(truth, answers))
    assert errors.rmse == pytest.approx(root_mean_squared_error(truth, answers))
    assert errors.r2 == pytest.approx(r2_score(truth, answers))
    assert errors.pearson == pytest.approx(pearsonr(truth, answers).statistic)
    assert errors.spearman == pytest.approx(spearmanr(truth, answers).statistic)


def test_a_constant_answer_has_coefficients_of_nought() -> None:
    examples = [ScoreExample(row, "x", "", float(row)) for row in range(10)]

    errors = regression_scores.score(examples, np.full(10, 4.5)).errors

    assert errors is not None
    assert (errors.pearson, errors.spearman, errors.r2) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"train": [ScoreExample(1, "a", "", 2.0), ScoreExample(2, "b", "", 2.0)]}, "have the score 2"),
        ({"test": []}, "test split has no rows"),
        ({"test": [ScoreExample(1, "a", "b", 2.0)]}, "Some rows have one text"),
    ],
)
def test_data_that_does_not_fit_is_named(
    tmp_path: Path, base_model: Path, change: dict[str, object], says: str
) -> None:
    folder = create_run(tmp_path / "run", base_model, task=TASK, **change)  # type: ignore[arg-type]

    with pytest.raises(DataDoesNotFit, match=says):
        run(folder)
