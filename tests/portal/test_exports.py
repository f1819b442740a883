"""What is taken away answers without us: each bundle is asked in a clean process by the lines it brings."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from services.accounts.scope import Member, Role, RoleMissing
from services.inference import engine
from services.registry import exports
from services.registry.errors import ExportUnknown
from services.registry.exports import ExportFormat
from services.training.recipe import Task
from services.training.reporting.answered import Answered
from services.training.reporting.evidence import Evidence
from tests.portal.reports import create_entity_report, create_report
from tests.portal.rows import colleague, create_model
from tests.services.inference.artefacts import create_model_folder

TEXT = "Where is the card that you sent to Berlin?"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return create_model_folder(tmp_path / "model")


def unpacked(bundle: Path, folder: Path) -> Path:
    with zipfile.ZipFile(bundle) as file:
        file.extractall(folder)
    return folder


def asked(folder: Path, text: str) -> object:
    """What the bundle's own lines say, in a process that knows nothing of this project."""
    answer = subprocess.run(
        [sys.executable, "-I", "predict.py", text],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HF_HUB_OFFLINE": "1", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_a_bundle_of_safetensors_says_what_we_say(owner: Member, model: Path, tmp_path: Path) -> None:
    version = create_model(owner, tmp_path, create_report(), weights=model)

    name, bundle = exports.export(owner, version_id=version.id, kind=ExportFormat.safetensors)

    assert name == "cards-v1-safetensors.zip"
    folder = unpacked(bundle, tmp_path / "bundle")
    assert not (folder / "evidence").exists()
    (ours,) = engine.load(model).predict([TEXT])
    theirs = asked(folder, TEXT)
    assert theirs["label"] == ours.label
    assert theirs["scores"] == pytest.approx(ours.scores, abs=0.01)
    card = (folder / "README.md").read_text()
    assert "Apache-2.0" in card
    assert "40 rows in = 40 used + 0 left out" in card
    assert "0.03" in card


def test_a_bundle_of_onnx_is_compared_before_it_is_given(owner: Member, model: Path, tmp_path: Path) -> None:
    rows = [Answered("test", row, f"{TEXT} {row}", ["card"], ["card"], [0.9]) for row in range(220)]
    Evidence(answered=rows).save(model)
    version = create_model(owner, tmp_path, create_report(), weights=model)

    _, bundle = exports.export(owner, version_id=version.id, kind=ExportFormat.onnx)

    folder = unpacked(bundle, tmp_path / "bundle")
    parity = json.loads((folder / "parity.json").read_text())
    assert (parity["rows"], parity["same_answers"]) == (200, 200)
    assert parity["largest_difference"] < 1e-4
    assert (
        "On 200 test rows the ONNX model gave 200 times the same answer" in (folder / "README.md").read_text()
    )
    assert not (folder / "model.safetensors").exists()
    (ours,) = engine.load(model).predict([TEXT])
    assert asked(folder, TEXT)["label"] == ours.label


def test_entities_are_tagged_offline(owner: Member, tmp_path: Path) -> None:
    model = create_model_folder(tmp_path / "model", task=Task.token_classification, labels=("place",))
    version = create_model(owner, tmp_path, create_entity_report(), weights=model)

    _, bundle = exports.export(owner, version_id=version.id, kind=ExportFormat.safetensors)

    tagged = asked(unpacked(bundle, tmp_path / "bundle"), "From Bonn to Rome")
    assert [word for word, _ in tagged] == ["From", "Bonn", "to", "Rome"]
    assert {tag for _, tag in tagged} <= {"O", "B-place", "I-place"}


def test_a_chat_model_is_not_exported_as_onnx(owner: Member, model: Path, tmp_path: Path) -> None:
    card = json.loads((model / "tuneport.json").read_text())
    (model / "tuneport.json").write_text(json.dumps(card | {"architecture": "causal-lora"}))
    version = create_model(owner, tmp_path, create_report(), weights=model)

    with pytest.raises(ExportUnknown):
        exports.export(owner, version_id=version.id, kind=ExportFormat.onnx)


def test_a_viewer_takes_no_model_away(owner: Member, model: Path, tmp_path: Path) -> None:
    version = create_model(owner, tmp_path, create_report(), weights=model)

    with pytest.raises(RoleMissing):
        exports.export(colleague(owner, Role.viewer), version_id=version.id, kind=ExportFormat.safetensors)
