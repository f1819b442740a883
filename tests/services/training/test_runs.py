"""Whole runs of both tasks, in this process, on a tiny base model."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from services.inference import engine
from services.inference.predictions import EntityPrediction, LabelPrediction
from services.training.examples import TextExample, TokenExample, read_sentences, read_texts
from services.training.failures import DataDoesNotFit
from services.training.process.events import EventKind, Phase, RunEvent
from services.training.process.folder import RunFolder
from services.training.process.journal import read
from services.training.recipe import Preset, Task
from services.training.reporting import spans, suspects
from services.training.reporting.report import Report
from services.training.reporting.suspects import SUSPECTS
from services.training.run import run
from tests.services.training.tiny import (
    create_labelled,
    create_pairs,
    create_run,
    create_scored,
    create_sentences,
    create_texts,
)

TOKENS = Task.token_classification
CREATE = {
    Task.multi_label: create_labelled,
    Task.pair_classification: create_pairs,
    Task.regression: create_scored,
}
# Of a row: what it has instead of its own labels.
WRONG: dict[Task, Callable[[Any], dict[str, Any]]] = {
    Task.multi_label: lambda row: {"labels": sorted({"animal", "colour", "tool"} - set(row.labels))},
    Task.pair_classification: lambda row: {"label": "other" if row.label == "relevant" else "relevant"},
    Task.regression: lambda row: {"score": row.score + 200},
}
# Enough for the tiny model to learn something.
LEARNS = {"epochs": 3, "learning_rate": 2e-3, "batch_size": 8}


def told(folder: RunFolder, kind: EventKind) -> list[RunEvent]:
    return [event for event in read(folder.events) if event.kind is kind]


def phases(folder: RunFolder) -> list[str]:
    return [event.phase.value for event in told(folder, EventKind.phase)]


def test_quick_classification_embeds_and_fits_and_never_trains(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model)

    report = run(folder)

    assert phases(folder) == ["loading", "embedding", "fitting", "evaluating", "saving"]
    assert report.value > report.baselines[0].value
    assert report.rows.model_dump() == {"train": 120, "validation": 30, "test": 40}
    assert list(report.seconds) == phases(folder)
    assert report == folder.read_report()
    weights, base = load_file(folder.model / "model.safetensors"), load_file(base_model / "model.safetensors")
    kept = "encoder.layer.1.output.dense.weight"
    assert torch.equal(weights[f"encoder.{kept}"], base[kept])


def test_the_engine_answers_as_the_report_says(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model)
    report = run(folder)
    test = read_texts(folder.split("test"))

    predictions = engine.load(folder.model).predict([row.text for row in test])

    right = 0
    for row, prediction in zip(test, predictions, strict=True):
        assert isinstance(prediction, LabelPrediction)
        right += prediction.label == row.label
    assert right / len(test) == report.value


def test_best_goes_on_from_quick_and_tells_how(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model, preset=Preset.best, **LEARNS)

    report = run(folder)

    assert phases(folder) == [
        "loading",
        "embedding",
        "fitting",
        "publishing",
        "training",
        "evaluating",
        "saving",
    ]
    quick = max(
        event.values["accuracy"] for event in told(folder, EventKind.metric) if event.phase is Phase.fitting
    )
    assert report.validation_value >= quick
    steps = [event for event in told(folder, EventKind.progress) if event.phase is Phase.training]
    assert [event.step for event in steps] == list(range(1, 46))
    assert all(event.steps == 45 for event in steps)
    assert all({"loss", "learning_rate", "rows_per_second"} <= event.values.keys() for event in steps)
    assert steps[-1].eta_seconds == 0
    metrics = [event for event in told(folder, EventKind.metric) if event.phase is Phase.training]
    assert [event.step for event in metrics] == [15, 30, 45]


def test_all_but_the_embedding_table_learn(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(tmp_path / "run", base_model, preset=Preset.custom, **LEARNS)

    run(folder)

    weights, base = load_file(folder.model / "model.safetensors"), load_file(base_model / "model.safetensors")
    table, layer = "embeddings.word_embeddings.weight", "encoder.layer.1.output.dense.weight"
    assert torch.equal(weights[f"encoder.{table}"], base[table])
    assert not torch.equal(weights[f"encoder.{layer}"], base[layer])


def test_quick_learns_from_the_validation_rows_once_they_have_chosen(
    tmp_path: Path, base_model: Path
) -> None:
    folder = create_run(tmp_path / "run", base_model)
    held_out = create_run(tmp_path / "held_out", base_model, validation=create_texts(30, seed=9))

    report, other = run(folder), run(held_out)

    assert report.refitted
    assert report.trained_tokens == other.trained_tokens
    ours, theirs = (load_file(one.model / "model.safetensors") for one in (folder, held_out))
    assert not torch.equal(ours["head.weight"], theirs["head.weight"])


@pytest.mark.parametrize("task", [task for task in Task if task.trainable and task is not Task.chat])
def test_best_leaves_a_quick_model_of_its_own_before_it_trains(
    tmp_path: Path, base_model: Path, task: Task
) -> None:
    quick = create_run(tmp_path / "quick", base_model, task=task)
    folder = create_run(tmp_path / "run", base_model, task=task, preset=Preset.best, **LEARNS)

    alone, best = run(quick), run(folder)

    first = Report.model_validate_json(folder.first_report.read_text("utf-8"))
    assert first.recipe.preset is Preset.quick
    assert (first.value, first.validation_value) == (alone.value, alone.validation_value)
    ours, theirs = (
        load_file(folder.first_model / "model.safetensors"),
        load_file(quick.model / "model.safetensors"),
    )
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert best.recipe.preset is Preset.best
    assert best.validation_value >= alone.validation_value


@pytest.mark.parametrize("task", [Task.multi_label, Task.pair_classification, Task.regression])
def test_rows_with_wrong_labels_are_doubted_and_a_curve_is_drawn(
    tmp_path: Path, base_model: Path, task: Task
) -> None:
    rows: list[Any] = list(CREATE[task](240, seed=1))
    planted = range(30, 38)
    for place in planted:
        rows[place] = replace(rows[place], **WRONG[task](rows[place]))
    folder = create_run(tmp_path / "run", base_model, task=task, train=rows)

    report = run(folder)

    assert report.suspects is not None
    assert report.suspects.checked == sum(report.rows.model_dump().values())
    doubted = {one.row for one in suspects.read((folder.model / SUSPECTS).read_bytes())}
    assert len(doubted & {rows[place].row for place in planted}) >= 6
    assert report.learning_curve is not None
    assert [point.rows for point in report.learning_curve.points] == [15, 30, 60, 120, 240]


def test_words_with_wrong_tags_are_doubted_and_a_curve_is_drawn(tmp_path: Path, base_model: Path) -> None:
    rows = create_sentences(240, seed=1)
    planted = [rows[place] for place in range(30, 38)]
    for sentence in planted:
        # A person is not tagged.
        sentence.tags[:] = ["O" if "person" in tag else tag for tag in sentence.tags]
    folder = create_run(tmp_path / "run", base_model, task=TOKENS, train=rows)

    report = run(folder)

    assert report.suspects is not None
    assert report.suspects.splits == ["train", "validation", "test"]
    assert report.suspects.checked == sum(report.rows.model_dump().values())
    doubts = suspects.read((folder.model / SUSPECTS).read_bytes())
    found = [one for one in doubts if one.split == "train" and one.suggested.endswith("person")]
    assert len({one.row for one in found} & {one.row for one in planted}) >= 6
    assert all(one.given and one.word is not None and one.given[one.word] == one.label for one in doubts)
    assert report.learning_curve is not None
    points = report.learning_curve.points
    assert [point.rows for point in points] == [15, 30, 60, 120, 240]
    assert points[-1].value > points[0].value


def test_a_best_that_spoils_the_model_publishes_quick(tmp_path: Path, base_model: Path) -> None:
    create_run(tmp_path / "quick", base_model)
    quick = run(RunFolder(tmp_path / "quick"))
    folder = create_run(
        tmp_path / "best", base_model, preset=Preset.best, epochs=1, learning_rate=0.1, batch_size=8
    )

    report = run(folder)

    assert report.validation_value == quick.validation_value
    assert report.value == quick.value
    assert any(
        "the Quick model is published" in (event.message or "") for event in told(folder, EventKind.note)
    )
    assert load_file(folder.model / "model.safetensors").keys()
    ours, theirs = (load_file(tmp_path / name / "model" / "model.safetensors") for name in ("best", "quick"))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_custom_publishes_what_was_asked_for(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(
        tmp_path / "run", base_model, preset=Preset.custom, epochs=1, learning_rate=0.1, batch_size=8
    )

    report = run(folder)

    published = "Quick model is published"
    assert not any(published in (event.message or "") for event in told(folder, EventKind.note))
    assert report.recipe.hyperparameters.learning_rate == 0.1


def test_training_stops_when_validation_no_longer_rises(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(
        tmp_path / "run",
        base_model,
        preset=Preset.best,
        epochs=20,
        learning_rate=1e-9,
        batch_size=32,
        patience=2,
    )

    run(folder)

    metrics = [event for event in told(folder, EventKind.metric) if event.phase is Phase.training]
    assert len(metrics) == 3


def test_texts_that_lose_their_tail_are_counted_and_told(tmp_path: Path, base_model: Path) -> None:
    long = [TextExample(200, "the old " * 40 + "red", "colour")]
    folder = create_run(tmp_path / "run", base_model, train=create_texts(60) + long)

    report = run(folder)

    assert report.truncated_rows == 1
    assert "1 rows have more than 32 tokens; only their beginning is read." in [
        event.message for event in told(folder, EventKind.note)
    ]


def test_entities_are_fitted_on_the_frozen_lower_layers_and_the_engine_finds_them(
    tmp_path: Path, base_model: Path
) -> None:
    folder = create_run(tmp_path / "run", base_model, task=TOKENS)

    report = run(folder)

    assert phases(folder) == ["loading", "embedding", "fitting", "evaluating", "saving"]
    assert report.metric == "f1"
    assert report.value > 0.8
    assert report.refitted
    assert {part.label for part in report.per_class} == {"city", "person"}
    weights, base = load_file(folder.model / "model.safetensors"), load_file(base_model / "model.safetensors")
    layers = {name.split(".")[3] for name in weights if name.startswith("encoder.encoder.layer.")}
    assert layers == {"0"}
    assert all(
        torch.equal(weights[f"encoder.{name}"], base[name]) for name in base if f"encoder.{name}" in weights
    )
    test = read_sentences(folder.split("test"))
    found = [tags_of(one, row) for one, row in zip(asked(folder, test), test, strict=True)]
    assert spans.f1([row.tags for row in test], found) == pytest.approx(report.value)


def asked(folder: RunFolder, sentences: list[TokenExample]) -> list[EntityPrediction]:
    answers = engine.load(folder.model).predict([" ".join(row.tokens) for row in sentences])
    return [answer for answer in answers if isinstance(answer, EntityPrediction)]


def tags_of(answer: EntityPrediction, sentence: TokenExample) -> list[str]:
    """The tags of a sentence's words, by the places of the entities in its text."""
    tags, place, ends = [], 0, {entity.start: entity for entity in answer.entities}
    inside = 0
    for word in sentence.tokens:
        if place in ends:
            inside = ends[place].end
            tags.append(f"B-{ends[place].type}")
        else:
            tags.append(f"I-{tags[-1][2:]}" if place < inside else "O")
        place += len(word) + 1
    return tags


def test_capitals_that_the_base_model_does_not_see_are_learnt_from(tmp_path: Path, base_model: Path) -> None:
    def create(count: int, seed: int) -> list[TokenExample]:
        """Any word is a city where it has a capital."""
        return [
            TokenExample(
                row.row,
                [word.title() if place == row.row % len(row.tokens) else word for place, word in words(row)],
                ["B-city" if place == row.row % len(row.tokens) else "O" for place, _ in words(row)],
            )
            for row in create_sentences(count, seed=seed)
        ]

    def words(row: TokenExample) -> list[tuple[int, str]]:
        return list(enumerate(row.tokens))

    folder = create_run(
        tmp_path / "run",
        base_model,
        task=TOKENS,
        train=create(120, 1),
        validation=create(30, 2),
        test=create(40, 3),
        labels=["city"],
    )

    report = run(folder)

    assert report.value > 0.95


def test_fifty_sentences_are_enough_for_a_first_model(tmp_path: Path, base_model: Path) -> None:
    few = {
        split: create_sentences(count, seed=count)
        for split, count in (("train", 40), ("validation", 5), ("test", 5))
    }
    folder = create_run(tmp_path / "run", base_model, task=TOKENS, **few)  # type: ignore[arg-type]

    report = run(folder)

    assert report.value > 0.6
    assert report.learning_curve is None


def test_of_very_many_words_quick_learns_from_a_part(
    tmp_path: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.training.tasks.tokens._MOST_WORDS", 300)
    folder = create_run(tmp_path / "run", base_model, task=TOKENS)

    report = run(folder)

    assert report.suspects is not None
    learned = report.suspects.checked - report.rows.validation - report.rows.test
    assert 0 < learned < report.rows.train
    left = report.rows.train - learned
    assert [event.message for event in told(folder, EventKind.note)] == [
        f"Quick learns from {learned} training sentences; {left} more are too many for it."
    ]


def test_best_of_entities_goes_on_from_quick(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(
        tmp_path / "run", base_model, task=TOKENS, preset=Preset.best, patience=0, learning_rate=1e-9
    )

    report = run(folder)

    assert phases(folder)[2:5] == ["fitting", "publishing", "training"]
    metrics = told(folder, EventKind.metric)
    quick = max(event.values["f1"] for event in metrics if event.phase is Phase.fitting)
    trained = [event.values["f1"] for event in metrics if event.phase is Phase.training]
    # What has hardly been trained answers as Quick does.
    assert trained[0] == pytest.approx(quick, abs=0.02)
    assert report.validation_value >= quick
    steps = [event for event in told(folder, EventKind.progress) if event.phase is Phase.training]
    assert [event.step for event in steps] == list(range(1, len(steps) + 1))
    assert {event.steps for event in steps} == {len(steps)}


def test_long_sentences_are_read_to_their_end(tmp_path: Path, base_model: Path) -> None:
    long = TokenExample(99, ["the"] * 60 + ["ada"], ["O"] * 60 + ["B-person"])
    folder = create_run(
        tmp_path / "run", base_model, task=TOKENS, train=create_sentences(120), test=[long], **LEARNS
    )

    report = run(folder)

    assert report.truncated_rows == 0
    assert report.value == 1.0
    assert [event.message for event in told(folder, EventKind.note)] == [
        "1 sentences have more than 32 tokens; they are read in pieces."
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"labels": ["animal"]}, "only one label"),
        ({"labels": ["animal", "colour"]}, "'tool'"),
        ({"validation": []}, "validation split has no rows"),
        ({"test": []}, "test split has no rows"),
        ({"task": TOKENS, "labels": []}, "No word carries an entity tag"),
        ({"task": TOKENS, "labels": ["city"]}, "-person'"),
        ({"task": TOKENS, "train": []}, "train split has no words"),
    ],
)
def test_data_that_does_not_fit_is_named(
    tmp_path: Path, base_model: Path, change: dict[str, object], says: str
) -> None:
    folder = create_run(tmp_path / "run", base_model, **change)  # type: ignore[arg-type]

    with pytest.raises(DataDoesNotFit, match=says) as failed:
        run(folder)

    assert failed.value.whose == "data"
    assert not folder.report.exists()
