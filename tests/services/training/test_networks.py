"""What a network is made of, and how its attention is computed."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from services.training import networks
from services.training.machine import Machine, here
from services.training.recipe import Preset
from services.training.run import run
from services.training.tasks import classification
from tests.services.training.tiny import create_run

CPU, GPU = (Machine(torch.device(kind), False, "test") for kind in ("cpu", "cuda"))


def test_a_base_models_own_dropout_stays_but_that_of_attention(tmp_path: Path, base_model: Path) -> None:
    folder = tmp_path / "base"
    shutil.copytree(base_model, folder)
    config = json.loads((folder / "config.json").read_text())
    both = {"hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.1}
    (folder / "config.json").write_text(json.dumps(config | both))

    ours: Any = networks.pretrained(folder)
    as_it_comes: Any = networks.pretrained(folder, attention_dropout=True)

    attention, after = ours.encoder.layer[0].attention.self, ours.encoder.layer[0].attention.output
    assert (attention.dropout.p, after.dropout.p) == (0.0, 0.2)
    assert as_it_comes.encoder.layer[0].attention.self.dropout.p == 0.1


def test_a_share_of_the_layers_is_the_lowest_and_its_shape_says_so(base_model: Path) -> None:
    whole: Any = networks.pretrained(base_model)
    half: Any = networks.pretrained(base_model, depth=0.5)

    assert half.config.num_hidden_layers == len(half.encoder.layer) == 1
    assert torch.equal(half.encoder.layer[0].output.dense.weight, whole.encoder.layer[0].output.dense.weight)


def test_attention_is_plain_on_a_processor_alone_and_only_within() -> None:
    fused = torch.backends.cuda.flash_sdp_enabled

    with CPU.plain_attention():
        assert not fused()
    with GPU.plain_attention():
        assert fused()
    assert fused()


@pytest.mark.skipif(here().device.type == "cuda", reason="a GPU keeps its fused attention")
def test_a_run_on_texts_computes_attention_plainly(
    tmp_path: Path, base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    learn = classification.train

    def train(*given: Any) -> Any:
        seen.append(torch.backends.cuda.flash_sdp_enabled())
        return learn(*given)

    monkeypatch.setattr(classification, "train", train)

    run(create_run(tmp_path / "run", base_model, preset=Preset.quick))

    assert seen == [False]
