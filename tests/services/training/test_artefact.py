import json
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from services.training import artefact, networks
from services.training.artefact import Card
from services.training.batches import inputs
from services.training.networks import Network, TextClassifier, TokenClassifier, WordClassifier
from services.training.recipe import Task
from services.training.shapes import NO_WORD

CPU = torch.device("cpu")
TEXTS = Card(
    task=Task.text_classification,
    outputs=["a", "b"],
    labels=["a", "b"],
    max_length=16,
    architecture="mean-pooled-linear",
    base_model="tiny",
)
TOKENS = TEXTS.model_copy(
    update={
        "task": Task.token_classification,
        "outputs": ["O", "B-a", "I-a"],
        "labels": ["a"],
        "architecture": "token-linear",
    }
)
WORDS = TOKENS.model_copy(update={"architecture": "word-linear", "following": [[0.5, -1e4, 0]] * 4})
ROWS = inputs([[2, 40, 41, 3], [2, 42, 3]], padding=0)
SHAPED = inputs(
    [[2, 40, 41, 3], [2, 42, 3]], padding=0, shapes=[[NO_WORD, [7] * 6, [8] * 6, NO_WORD], [NO_WORD] * 3]
)


@pytest.mark.parametrize(
    ("card", "kind", "rows"),
    [(TEXTS, TextClassifier, ROWS), (WORDS, WordClassifier, SHAPED), (TOKENS, TokenClassifier, ROWS)],
)
def test_a_model_answers_the_same_after_saving_and_loading(
    base_model: Path, tmp_path: Path, card: Card, kind: type[Network], rows: dict[str, torch.Tensor]
) -> None:
    network: Any = kind(networks.pretrained(base_model), len(card.outputs)).eval()
    if isinstance(network, WordClassifier):
        torch.nn.init.normal_(network.shapes.weight)

    artefact.save(network, card, base_model, tmp_path)
    loaded, loaded_card = artefact.load(tmp_path, CPU)

    assert loaded_card == card
    assert torch.equal(loaded.logits(**rows), network.logits(**rows))
    assert not loaded.training


def test_an_artefact_is_data_and_nothing_else(base_model: Path, tmp_path: Path) -> None:
    artefact.save(TextClassifier(networks.pretrained(base_model), 2), TEXTS, base_model, tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tuneport.json",
    }


def test_code_that_a_config_names_is_not_run(base_model: Path, tmp_path: Path) -> None:
    artefact.save(TextClassifier(networks.pretrained(base_model), 2), TEXTS, base_model, tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'run')!r}, 'w')")

    artefact.load(tmp_path, CPU)

    assert not (tmp_path / "run").exists()


def test_a_card_of_another_format_is_refused(base_model: Path, tmp_path: Path) -> None:
    artefact.save(TextClassifier(networks.pretrained(base_model), 2), TEXTS, base_model, tmp_path)
    card = json.loads((tmp_path / "tuneport.json").read_text())
    (tmp_path / "tuneport.json").write_text(json.dumps({**card, "format": 2}))

    with pytest.raises(ValidationError):
        artefact.load(tmp_path, CPU)


def test_the_embedding_table_can_be_frozen_alone(base_model: Path) -> None:
    encoder = networks.pretrained(base_model)

    networks.freeze_embedding_table(encoder)

    frozen = [name for name, weights in encoder.named_parameters() if not weights.requires_grad]
    assert frozen == ["embeddings.word_embeddings.weight"]
