"""Base models by the id of their hub: pinned, and fetched anew where they are missing."""

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.training.bases.hub import REVISION, Hub, serving_hub
from tests.services.training.tiny import create_texts

REPOSITORY = "acme/small-encoder"
FILES = ["config.json", "model.safetensors", "tokenizer.json"]


@pytest.fixture
def hub(tmp_path: Path, base_model: Path) -> Iterator[Hub]:
    folder = tmp_path / "repository"
    shutil.copytree(base_model, folder)
    (folder / "README.md").write_text("---\nlicense: mit\nlanguage: [en, da]\n---\nA model.\n")
    # What could run code when it is read, and is not asked for.
    (folder / "pytorch_model.bin").write_bytes(b"pickled")
    with (tmp_path / "texts.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *((one.text, one.label) for one in create_texts(120))])
    with serving_hub(REPOSITORY, folder) as served:
        yield served


def tuneport(folder: Path, hub: Hub, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("tuneport"), *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "HF_ENDPOINT": hub.address,
            "TUNEPORT_BASE_MODELS": str(folder / "base-models.toml"),
        },
    )


def test_a_repository_is_pinned_fetched_anew_and_learnt_from(tmp_path: Path, hub: Hub) -> None:
    pinned = tuneport(tmp_path, hub, "base-models", "pin", "ours", REPOSITORY)

    assert pinned.returncode == 0, pinned.stdout + pinned.stderr
    assert sorted(hub.fetched) == sorted([*FILES, "README.md"])
    entry = (tmp_path / "base-models.toml").read_text()
    assert f'source = "hub:{REPOSITORY}"' in entry
    assert f'revision = "{REVISION}"' in entry
    assert 'licence = "mit"' in entry

    shutil.rmtree(tmp_path / ".tuneport" / "cache")
    hub.fetched.clear()
    learnt = tuneport(tmp_path, hub, "finetune", "texts.csv", "--base-model", "ours", "--out", "out")
    assert learnt.returncode == 0, learnt.stdout + learnt.stderr
    assert sorted(hub.fetched) == FILES
    assert json.loads((tmp_path / "out" / "report.json").read_text())["recipe"]["base_model"] == "ours"


def test_a_hub_that_gives_other_weights_than_were_pinned_is_not_believed(tmp_path: Path, hub: Hub) -> None:
    tuneport(tmp_path, hub, "base-models", "pin", "ours", REPOSITORY)
    shutil.rmtree(tmp_path / ".tuneport" / "cache")
    weights = hub.folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")

    refused = tuneport(tmp_path, hub, "finetune", "texts.csv", "--base-model", "ours", "--out", "out")

    assert refused.returncode != 0
    assert "base_model_damaged" in refused.stdout + refused.stderr
    assert not (tmp_path / "out").exists()
