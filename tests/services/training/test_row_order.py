"""Scores must compare each row with its own answer, although batches are made by length."""

from pathlib import Path

from services.training.examples import TextExample
from services.training.process.events import EventKind, Phase
from services.training.process.journal import read
from services.training.recipe import Preset
from services.training.run import run
from tests.services.training.tiny import LABELS, create_run


def create_uneven(count: int, *, first: int = 0) -> list[TextExample]:
    """Texts whose lengths jump, so that an order by length is far from the rows' own."""
    labels = sorted(LABELS)
    return [
        TextExample(
            number + 1,
            " ".join([LABELS[labels[number % 3]][number % 5]] * (1 + number * 7 % 20)),
            labels[number % 3],
        )
        for number in range(first, first + count)
    ]


def test_validation_and_test_are_scored_in_row_order(tmp_path: Path, base_model: Path) -> None:
    folder = create_run(
        tmp_path / "run",
        base_model,
        preset=Preset.custom,
        train=create_uneven(150),
        validation=create_uneven(45),
        test=create_uneven(45),
        epochs=2,
        learning_rate=2e-3,
        batch_size=8,
    )

    report = run(folder)

    # The splits are equal but for their size, so that a shuffled score would be near one third.
    in_training = [
        event.values["accuracy"]
        for event in read(folder.events)
        if event.kind is EventKind.metric and event.phase is Phase.training
    ]
    assert max(in_training) == report.validation_value == report.value
    assert report.value > 0.9
