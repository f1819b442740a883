"""What a base model has read once is not read again, is never believed when damaged, and is bounded."""

import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor

from services.training import remembered
from services.training.examples import write
from services.training.process.folder import RunFolder
from services.training.process.journal import read
from services.training.recipe import Preset, Task
from services.training.remembered import Damaged, Ids, Remembered
from services.training.run import run
from tests.services.training.tiny import create_pairs, create_run, create_texts

HOW = "mean float32 cpu"


class Counting:
    """Computes something of rows that tells them apart, and counts them."""

    def __init__(self) -> None:
        self.rows = 0

    def __call__(self, rows: list[Ids]) -> Tensor:
        self.rows += len(rows)
        return torch.tensor([[float(sum(row)), float(len(row))] for row in rows])


def opened(file: Path, how: str = HOW) -> Remembered:
    found = Remembered(file, how)
    found.load()
    return found


def kept(file: Path, *rows: Ids) -> Tensor:
    first = opened(file)
    vectors = first.read(rows, Counting())
    first.save()
    return vectors


def test_a_second_look_computes_nothing_and_another_row_alone(tmp_path: Path) -> None:
    file, compute = tmp_path / "kept.safetensors", Counting()
    vectors = kept(file, [1, 2], [3], [1, 2])

    second = opened(file)
    again = second.read([[3], [1, 2]], compute)
    assert compute.rows == 0
    assert torch.equal(again, vectors[[1, 0]])
    assert second.known([[3], [4]]) == 1

    changed = second.read([[3], [1, 2, 3]], compute)
    assert compute.rows == 1
    assert changed[1].tolist() == [6.0, 3.0]


def test_rows_that_were_read_in_another_way_are_read_anew(tmp_path: Path) -> None:
    file, compute = tmp_path / "kept.safetensors", Counting()
    kept(file, [1, 2])

    opened(file, "mean bfloat16 cpu").read([[1, 2]], compute)

    assert compute.rows == 1


@pytest.mark.parametrize("cut", [0, 10, -1])
def test_a_file_that_was_cut_or_changed_is_not_believed(tmp_path: Path, cut: int) -> None:
    file = tmp_path / "kept.safetensors"
    kept(file, [1, 2], [3])
    content = file.read_bytes()
    file.write_bytes(content[:cut] if cut >= 0 else content[:-1] + bytes([content[-1] ^ 1]))

    found = Remembered(file, HOW)
    with pytest.raises(Damaged):
        found.load()

    assert found.known([[1, 2], [3]]) == 0


def test_of_too_much_what_was_read_longest_ago_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Each row takes eight bytes and its digest.
    monkeypatch.setattr(remembered, "MOST_BYTES", 2 * 24)
    file = tmp_path / "kept.safetensors"
    kept(file, [1], [2])
    kept(file, [1])
    kept(file, [3])

    assert [opened(file).known([[row]]) for row in (1, 2, 3)] == [1, 0, 1]


def again(folder: RunFolder, path: Path, base_model: Path, **changes: object) -> RunFolder:
    """Another run, to which the worker brings what the first one has read."""
    second = create_run(path, base_model, **changes)  # type: ignore[arg-type]
    shutil.copy(folder.remembered, second.remembered)
    return second


def said(folder: RunFolder) -> str:
    return " ".join(event.message for event in read(folder.events) if event.message)


@pytest.mark.parametrize("preset", [Preset.quick, Preset.best, Preset.few_shot])
def test_a_second_run_on_the_same_data_reads_nothing_and_finds_the_same(
    tmp_path: Path, base_model: Path, preset: Preset
) -> None:
    first = create_run(tmp_path / "first", base_model)
    value = run(first).value
    assert "read before" not in said(first)

    second = again(first, tmp_path / "second", base_model, preset=preset, epochs=1)
    found = run(second)

    assert "All 190 rows were read before" in said(second)
    assert preset is not Preset.quick or found.value == value


def test_pairs_are_remembered_text_by_text(tmp_path: Path, base_model: Path) -> None:
    pairs = {"task": Task.pair_classification}
    first = create_run(tmp_path / "first", base_model, **pairs)  # type: ignore[arg-type]
    value = run(first).value

    second = again(first, tmp_path / "second", base_model, **pairs, train=create_pairs(120, seed=1))

    assert run(second).value == value
    assert "were read before" in said(second)


def test_a_changed_row_is_read_and_the_others_are_not(tmp_path: Path, base_model: Path) -> None:
    first = create_run(tmp_path / "first", base_model)
    run(first)
    second = again(first, tmp_path / "second", base_model)
    rows = create_texts(120, seed=1)
    changed = type(rows[0])(rows[0].row, "quite another hammer", rows[0].label)
    write(second.split("train"), [changed, *rows[1:]])

    run(second)

    assert "189 of 190 rows were read before" in said(second)


def test_what_is_damaged_is_said_and_read_again(tmp_path: Path, base_model: Path) -> None:
    first = create_run(tmp_path / "first", base_model)
    value = run(first).value
    second = again(first, tmp_path / "second", base_model)
    second.remembered.write_bytes(second.remembered.read_bytes()[:-7])

    assert run(second).value == value
    assert "damaged" in said(second)


def test_a_base_model_that_was_familiarised_neither_takes_nor_leaves_anything(
    tmp_path: Path, base_model: Path
) -> None:
    first = create_run(tmp_path / "first", base_model)
    run(first)
    second = again(first, tmp_path / "second", base_model)
    spec = second.read_spec()
    recipe = spec.recipe.model_copy(update={"familiarising_epochs": 1})
    second.spec.write_text(spec.model_copy(update={"recipe": recipe}).model_dump_json())
    before = second.remembered.read_bytes()

    run(second)

    assert "read before" not in said(second)
    assert second.remembered.read_bytes() == before
