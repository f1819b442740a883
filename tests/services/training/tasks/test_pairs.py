"""Pairs of texts: whole runs on a tiny base model, read apart by Quick and together by Best."""

from pathlib import Path

import pytest
import torch

from services.inference import engine
from services.inference.errors import PairExpected
from services.inference.predictions import LabelPrediction, Pair
from services.training import artefact, networks, readings
from services.training.examples import PairExample, read_pairs
from services.training.failures import DataDoesNotFit
from services.training.machine import Machine
from services.training.networks import PairClassifier
from services.training.recipe import Preset, Task
from services.training.run import run
from services.training.tokenizing import load_tokenizer
from tests.services.training.tiny import create_pairs, create_run

TASK = Task.pair_classification
BRIEF = {"epochs": 2, "learning_rate": 2e-3, "batch_size": 8}
# bfloat16 rounds in another way in another batch.
EXACT = Machine(torch.device("cpu"), bf16=False, name="test")


def reads_together(model: Path) -> bool:
    network, card = artefact.load(model, torch.device("cpu"))
    assert isinstance(network, PairClassifier)
    assert card.pairs
    return bool(network.reads_together)


@pytest.mark.parametrize(("preset", "changes"), [(Preset.quick, {}), (Preset.custom, BRIEF)])
def test_the_engine_answers_as_the_report_says(
    tmp_path: Path, base_model: Path, preset: Preset, changes: dict[str, float]
) -> None:
    folder = create_run(tmp_path / "run", base_model, task=TASK, preset=preset, **changes)

    report = run(folder)

    test, loaded = read_pairs(folder.split("test")), engine.load(folder.model)
    answers = loaded.predict([Pair(first=row.first, second=row.second) for row in test])
    right = sum(
        isinstance(answer, LabelPrediction) and answer.label == row.label
        for row, answer in zip(test, answers, strict=True)
    )
    assert report.value == right / len(test)
    assert reads_together(folder.model) is (preset is Preset.custom)
    with pytest.raises(PairExpected):
        loaded.predict(["the cat"])


def test_quick_beats_the_majority_and_ranks_better_than_chance(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model, task=TASK)

    report = run(folder)

    assert report.value > report.baselines[0].value
    assert report.ranking is not None
    assert report.ranking.relevant == "relevant"
    assert report.ranking.ndcg_at_10 > report.ranking.baselines[0].value


def test_best_keeps_texts_apart_where_reading_them_together_is_worse(
    tmp_path: Path, base_model: Path
) -> None:
    folder = create_run(
        tmp_path / "run", base_model, task=TASK, preset=Preset.best, epochs=1, learning_rate=0.1, batch_size=8
    )

    run(folder)

    assert not reads_together(folder.model)


def test_a_pair_has_the_same_answer_in_any_company(base_model: Path) -> None:
    torch.manual_seed(3)
    network = PairClassifier(networks.pretrained(base_model), 2)
    torch.nn.init.normal_(network.together.weight)
    tokenizer = load_tokenizer(base_model, cut_to=32)
    rows = [("the cat " * (row % 5 + 1), "a red " * (row % 3 + 1)) for row in range(40)]

    def outputs(some: list[tuple[str, str]]) -> torch.Tensor:
        read = readings.pairs(tokenizer, [first for first, _ in some], [second for _, second in some])
        return readings.outputs(network, read, EXACT)

    apart = torch.cat([outputs([row]) for row in rows])
    assert torch.allclose(outputs(rows), apart, atol=1e-4)
    network.read_together()
    together = torch.cat([outputs([row]) for row in rows])
    assert torch.allclose(outputs(rows), together, atol=1e-4)
    assert not torch.allclose(apart, together, atol=1e-2)


def test_the_second_text_is_told_apart_by_its_type(base_model: Path) -> None:
    read = readings.pairs(load_tokenizer(base_model), ["the cat"], ["red"])

    (row,) = readings.rows(PairClassifier(networks.pretrained(base_model), 2), read, torch.tensor([1]))

    assert row["token_type_ids"] == [0, 0, 0, 0, 1, 1]


def test_pairs_of_which_no_text_comes_again_are_no_ranking(tmp_path: Path, base_model: Path) -> None:
    single = [
        PairExample(row.row, f"{row.first} {number}", row.second, row.label)
        for number, row in enumerate(create_pairs(20, seed=3))
    ]
    folder = create_run(tmp_path / "run", base_model, task=TASK, test=single)

    assert run(folder).ranking is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": ["other"]}, "only one label"),
        ({"labels": ["other", "x"]}, "'relevant'"),
        ({"validation": []}, "validation split has no rows"),
    ],
)
def test_data_that_does_not_fit_is_named(
    tmp_path: Path, base_model: Path, change: dict[str, object], says: str
) -> None:
    folder = create_run(tmp_path / "run", base_model, task=TASK, **change)  # type: ignore[arg-type]

    with pytest.raises(DataDoesNotFit, match=says):
        run(folder)
