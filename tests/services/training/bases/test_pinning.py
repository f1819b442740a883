"""An operator's own base models; a folder stands for a hub's repository."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from transformers import RobertaConfig, RobertaModel

from services.config import settings
from services.training import networks
from services.training.bases import catalogue, pinning
from services.training.bases.catalogue import CHAT_TEMPLATE, TOKENIZER_CONFIG
from services.training.conversations import load_format
from services.training.examples import Message
from services.training.recipe import DEFAULT_BASE_MODEL, Preset, Recipe, Task
from services.training.tokenizing import TOKENIZER
from tests.services.training.tiny import VOCABULARY
from tests.services.training.tiny_chat import END, TEMPLATE


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    file = tmp_path / "base-models.toml"
    monkeypatch.setenv("TUNEPORT_BASE_MODELS", str(file))
    settings.cache_clear()
    catalogue.entries.cache_clear()
    yield file
    settings.cache_clear()
    catalogue.entries.cache_clear()


def recipe(task: Task, preset: Preset = Preset.quick) -> Recipe:
    usual = catalogue.defaults_for("ours", preset, task)
    return Recipe(task=task, base_model="ours", preset=preset, hyperparameters=usual)


def test_what_is_pinned_can_be_named_by_a_recipe(own: Path, base_model: Path, tmp_path: Path) -> None:
    entry = pinning.pin("ours", str(base_model), own=own, cache=tmp_path)

    assert catalogue.ids()[0] == DEFAULT_BASE_MODEL
    assert catalogue.require(recipe(Task.token_classification)) == entry
    assert catalogue.resolve("ours", tmp_path) == base_model
    assert 0 < entry.computed < entry.parameters
    assert entry.max_length == 64
    assert (entry.price_class, entry.licence, entry.languages) == ("small", "unknown", ["unknown"])
    with pytest.raises(catalogue.BaseModelCannot):
        catalogue.require(recipe(Task.chat))


@pytest.mark.parametrize("preset", Preset)
def test_presets_read_no_more_than_a_base_model_that_is_pinned(
    own: Path, base_model: Path, tmp_path: Path, preset: Preset
) -> None:
    pinning.pin("ours", str(base_model), own=own, cache=tmp_path)

    assert recipe(Task.text_classification, preset).hyperparameters.max_length == 64


def test_licence_and_languages_are_those_of_the_card(own: Path, base_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    shutil.copytree(base_model, folder)
    (folder / "README.md").write_text("---\nlicense: mit\nlanguage: da\n---\nA model.\n")

    entry = pinning.pin("ours", str(folder), own=own, cache=tmp_path)

    assert (entry.licence, entry.languages) == ("mit", ["da"])


def test_a_model_that_counts_positions_behind_its_padding_reads_two_fewer(
    own: Path, base_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "theirs"
    config = RobertaConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=66,
    )
    RobertaModel(config).save_pretrained(folder)
    shutil.copy(base_model / TOKENIZER, folder)

    assert pinning.pin("ours", str(folder), own=own, cache=tmp_path).max_length == 64


def test_weights_that_change_after_they_were_pinned_are_not_used(
    own: Path, base_model: Path, tmp_path: Path
) -> None:
    pinning.pin("ours", str(base_model), own=own, cache=tmp_path)
    own.write_text(own.read_text().replace(catalogue.get("ours").sha256, "0" * 64))
    catalogue.entries.cache_clear()

    with pytest.raises(catalogue.BaseModelDamaged):
        catalogue.resolve("ours", tmp_path)


def test_an_id_is_given_once(own: Path, base_model: Path, tmp_path: Path) -> None:
    with pytest.raises(pinning.BaseModelTaken):
        pinning.pin(DEFAULT_BASE_MODEL, str(base_model), own=own, cache=tmp_path)
    assert not own.exists()


def test_a_chat_model_is_pinned_for_chat_alone_wherever_its_template_stands(
    own: Path, chat_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "theirs"
    shutil.copytree(chat_model, folder)
    (folder / CHAT_TEMPLATE).unlink()
    (folder / TOKENIZER_CONFIG).write_text(json.dumps({"chat_template": TEMPLATE}))

    entry = pinning.pin("ours", str(folder), own=own, cache=tmp_path)

    assert entry.tasks == [Task.chat]
    # Its tables are tied: the vocabulary is computed with.
    assert entry.computed == entry.parameters
    assert catalogue.resolve("ours", tmp_path) == folder
    spoken = [Message(role="user", content="Hello"), Message(role="assistant", content="Good day")]
    end = networks.read_config(folder).eos_token_id
    assert load_format(folder, end).encode(spoken) == load_format(chat_model, end).encode(spoken)


def test_a_chat_model_whose_turns_have_no_end_is_refused(own: Path, chat_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    shutil.copytree(chat_model, folder)
    (folder / CHAT_TEMPLATE).write_text(TEMPLATE.replace(END, ""))

    with pytest.raises(pinning.BaseModelUnfit, match="chat template"):
        pinning.pin("ours", str(folder), own=own, cache=tmp_path)
    assert not own.exists()


def test_a_chat_model_of_which_nobody_knows_what_ends_a_turn_is_refused(
    own: Path, chat_model: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "theirs"
    shutil.copytree(chat_model, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"eos_token_id": [1, 2]}))

    with pytest.raises(pinning.BaseModelUnfit, match="no single token that ends a turn"):
        pinning.pin("ours", str(folder), own=own, cache=tmp_path)
    assert not own.exists()


def test_what_cannot_be_read_is_refused(own: Path, base_model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    shutil.copytree(base_model, folder)
    (folder / TOKENIZER).write_text("no tokenizer")

    with pytest.raises(pinning.BaseModelUnfit):
        pinning.pin("ours", str(folder), own=own, cache=tmp_path)
    assert not own.exists()


def test_a_folder_without_weights_is_refused(own: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    with pytest.raises(pinning.BaseModelUnfit, match="is missing"):
        pinning.pin("ours", str(tmp_path / "empty"), own=own, cache=tmp_path)
    assert not own.exists()
