import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from services.training import memory, networks
from services.training.bases import catalogue
from services.training.machine import Machine
from services.training.recipe import DEFAULT_BASE_MODEL, Preset, Recipe, Task


def create_cached(cache: Path, base_model: str, *, weights: bytes) -> Path:
    entry = catalogue.get(base_model)
    folder = cache / f"{entry.id}@{entry.revision[:12]}"
    folder.mkdir(parents=True)
    for name, content in (("config.json", b"{}"), ("tokenizer.json", b"{}"), ("model.safetensors", weights)):
        (folder / name).write_bytes(content)
    return folder


def test_the_default_stands_first() -> None:
    assert catalogue.ids()[0] == DEFAULT_BASE_MODEL


@pytest.mark.parametrize("entry", catalogue.entries(), ids=lambda entry: entry.id)
def test_every_base_model_is_pinned(entry: catalogue.Entry) -> None:
    assert re.fullmatch("[0-9a-f]{64}", entry.sha256)
    if entry.source.startswith("hub:"):
        assert re.fullmatch("[0-9a-f]{40}", entry.revision)
    else:
        assert entry.source.startswith(("package:", "wheel:"))


def test_the_default_is_found_in_its_package_and_verified(tmp_path: Path) -> None:
    folder = catalogue.resolve(DEFAULT_BASE_MODEL, tmp_path)

    assert (folder / "model.safetensors").stat().st_size > 90_000_000
    assert list(tmp_path.iterdir()) == []


def test_the_memory_of_a_row_is_what_a_run_reckons_with(tmp_path: Path) -> None:
    processor = Machine(torch.device("cpu"), False, "test")
    config = networks.read_config(catalogue.resolve(DEFAULT_BASE_MODEL, tmp_path))

    per_token = memory.encoder_bytes_per_token(config, 256, processor, checkpointing=False)

    assert catalogue.get(DEFAULT_BASE_MODEL).memory_per_row == per_token * 256 / 2**20


def test_an_unknown_base_model_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(catalogue.BaseModelUnknown, match=DEFAULT_BASE_MODEL):
        catalogue.resolve("gpt-17", tmp_path)


def test_a_base_model_is_asked_only_for_its_tasks() -> None:
    assert catalogue.require(Recipe(task=Task.token_classification)).id == DEFAULT_BASE_MODEL
    with pytest.raises(catalogue.BaseModelCannot, match=DEFAULT_BASE_MODEL) as refused:
        catalogue.require(Recipe(task=Task.chat, base_model=DEFAULT_BASE_MODEL))
    assert refused.value.status == 422


def test_a_recipe_that_asks_for_longer_rows_than_its_base_model_reads_is_refused() -> None:
    longest = catalogue.get(DEFAULT_BASE_MODEL).max_length
    usual = catalogue.defaults_for(DEFAULT_BASE_MODEL, Preset.custom, Task.text_classification)
    asks = usual.model_copy(update={"max_length": longest + 1})
    recipe = Recipe(task=Task.text_classification, preset=Preset.custom, hyperparameters=asks)

    with pytest.raises(catalogue.BaseModelReadsLess, match=f"{longest} tokens .* for {longest + 1}"):
        catalogue.require(recipe)


def test_weights_that_differ_are_not_used(tmp_path: Path) -> None:
    create_cached(tmp_path, "bert-base-uncased", weights=b"not these")

    with pytest.raises(catalogue.BaseModelDamaged, match="bert-base-uncased"):
        catalogue.resolve("bert-base-uncased", tmp_path)


def test_a_cached_folder_without_weights_is_missing(tmp_path: Path) -> None:
    (create_cached(tmp_path, "bert-base-uncased", weights=b"") / "model.safetensors").unlink()

    with pytest.raises(catalogue.BaseModelMissing):
        catalogue.resolve("bert-base-uncased", tmp_path)


def test_a_hub_model_without_a_network_is_missing(tmp_path: Path) -> None:
    script = f"""
from pathlib import Path
from services.training.bases import catalogue
try:
    catalogue.resolve("bert-base-uncased", Path({str(tmp_path)!r}))
except catalogue.BaseModelMissing as missing:
    print(missing.code)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={"HF_HUB_OFFLINE": "1", "HOME": str(tmp_path)},
    )

    assert done.stdout.strip() == "base_model_missing", done.stderr
