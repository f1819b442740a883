import json
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from services.training import artefact, networks
from services.training.artefact import Card
from services.training.batches import inputs
from services.training.networks import TextClassifier, TokenClassifier
from services.training.recipe import Task

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
ROWS = inputs([[2, 40, 41, 3], [2, 42, 3]], padding=0)


@pytest.mark.parametrize(("card", "kind"), [(TEXTS, TextClassifier), (TOKENS, TokenClassifier)])
def test_a_model_answers_the_same_after_saving_and_loading(
    base_model: Path, tmp_path: Path, card: Card, kind: type[TextClassifier] | type[TokenClassifier]
) -> None:
    network = kind(networks.pretrained(base_model), len(card.outputs)).eval()

    artefact.save(network, card, base_model, tmp_path)
    loaded, loaded_card = artefact.load(tmp_path, CPU)

    assert loaded_card == card
    assert torch.equal(loaded.probabilities(**ROWS), network.probabilities(**ROWS))
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
