from pathlib import Path

import numpy as np
import torch

from services.training import fitting
from services.training.examples import TextExample
from services.training.reporting import study, suspects
from services.training.reporting.suspects import SUSPECTS, Suspect

LABELS = ["a", "b", "c", "d"]


def planted(rows: int = 600, wrong: int = 30) -> tuple[dict, dict, dict, set[int]]:
    """Four clouds of points as features; of so many training rows the label was changed."""
    chance = np.random.default_rng(0)
    centres = chance.normal(0, 1, (4, 16)) * 2
    true = chance.integers(0, 4, rows)
    features = torch.tensor(centres[true] + chance.normal(0, 1, (rows, 16)), dtype=torch.float32)
    changed = chance.choice(rows - 200, wrong, replace=False)
    labels = true.copy()
    labels[changed] = (true[changed] + 1) % 4
    sizes = [rows - 200, 100, 100]
    names = ("train", "validation", "test")
    examples = [TextExample(row + 1, f"text {row}", LABELS[label]) for row, label in enumerate(labels)]
    cut = np.cumsum([0, *sizes])
    rows_of = {name: examples[cut[at] : cut[at + 1]] for at, name in enumerate(names)}
    targets = dict(zip(names, torch.split(torch.tensor(labels), sizes), strict=True))
    parts = dict(zip(names, torch.split(features, sizes), strict=True))
    return rows_of, parts, targets, {row + 1 for row in changed}


def test_planted_errors_in_the_training_rows_are_found() -> None:
    rows, features, targets, changed = planted()
    head = study.logistic(features["train"], targets["train"], 4)

    looked = study.texts(rows, LABELS, features, targets, head)

    found = {one.row for one in looked.suspects}
    assert len(found & changed) >= 28
    assert len(found - changed) <= 6
    assert looked.count.checked == 600
    assert all(one.own < one.other for one in looked.suspects)
    first = looked.suspects[0]
    assert LABELS.index(first.label) == (LABELS.index(first.suggested) + 1) % 4


def test_a_study_is_the_same_after_it_was_kept(tmp_path: Path) -> None:
    rows, features, targets, _ = planted(300, 5)
    head = fitting.blank(torch.nn.Linear(16, 4))._replace(strength=0.1)
    looked = study.texts(rows, LABELS, features, targets, head)

    looked.save(tmp_path / "study.json")

    assert study.restore(tmp_path / "study.json") == looked


def test_a_label_of_few_rows_is_not_doubted() -> None:
    chance = np.random.default_rng(0)
    labels = np.array([0, 1] * 50 + [2, 2])
    outputs = chance.dirichlet((1, 1, 1), 102) * 0.2
    outputs[np.arange(102), labels] += 0.8
    # The two rows of the third label look like the first; so do five of the second.
    alike = [1, 3, 5, 7, 9, 100, 101]
    outputs[alike] = chance.dirichlet((1, 1, 1), 7) * 0.2 + (0.8, 0, 0)

    found = suspects.doubted(labels, outputs).tolist()

    assert found
    assert set(found) <= {1, 3, 5, 7, 9}
    assert suspects.doubted(labels[:2], outputs[:2]).tolist() == []


def test_the_table_gives_back_what_was_written(tmp_path: Path) -> None:
    one = Suspect("train", 3, "the word", "B-city", "O", 0.25, 0.5, tokens=["the", "word"], word=1)

    suspects.save([one], tmp_path)

    assert suspects.read((tmp_path / SUSPECTS).read_bytes()) == [one]


def test_a_label_too_many_and_one_too_few_are_found() -> None:
    chance = np.random.default_rng(0)
    truth = chance.random((400, 3)) < 0.4
    outputs = np.where(truth, 0.9, 0.1) + chance.uniform(-0.08, 0.08, truth.shape)
    given = truth.copy()
    given[[3, 50, 77], 0] ^= True
    given[120, 2] ^= True

    wrong = suspects.doubted_labels(given, outputs)

    assert {tuple(place) for place in np.argwhere(wrong).tolist()} == {(3, 0), (50, 0), (77, 0), (120, 2)}


def test_a_score_far_from_what_its_text_is_worth_is_found() -> None:
    errors = np.random.default_rng(0).normal(0, 2, 500)
    errors[[7, 40]] = 25, -18

    found, likely = suspects.outlying(errors)

    assert found.tolist()[:2] == [7, 40]
    assert len(found) <= 4
    assert likely[7] < 1e-6 < 0.01 < np.median(likely)
