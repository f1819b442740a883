"""A downloaded model of each kind says in a clean process what the engine says."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from services.inference import engine
from services.inference.predictions import (
    EntityPrediction,
    Input,
    LabelPrediction,
    LabelsPrediction,
    Pair,
    ScorePrediction,
)
from services.registry import exports, offline
from services.training import artefact, converting, networks, tagging
from services.training.adapting import Adapted, causal
from services.training.artefact import Card, Scale
from services.training.conversations import load_format
from services.training.examples import Message
from services.training.generating import Answer, Decoder, generate
from services.training.machine import here
from services.training.networks import (
    MultiLabelClassifier,
    PairClassifier,
    PairScorer,
    TextClassifier,
    TextScorer,
    WordClassifier,
)
from services.training.recipe import Preset, Task, defaults
from services.training.reporting.answered import Answered
from services.training.reporting.evidence import Evidence
from services.training.reporting.spans import spans

FIRST, SECOND = "the red cat", "my old hammer is here"
SCALE = Scale(mean=50, deviation=10, error=4)
PAIRS, TWO = Task.pair_classification, ["other", "same"]


def told(task: Task, architecture: Any, labels: list[str], **more: Any) -> Card:
    outputs = labels or ["score"]
    return Card(
        task=task,
        outputs=outputs,
        labels=labels,
        max_length=32,
        architecture=architecture,
        base_model="tiny",
        **more,
    )


KINDS = {
    "one label": (TextClassifier, told(Task.text_classification, "mean-pooled-linear", TWO, temperature=1.5)),
    "several labels": (
        MultiLabelClassifier,
        told(Task.multi_label, "mean-pooled-sigmoid", TWO, thresholds=[0.3, 0.6], temperature=1.5),
    ),
    "score": (TextScorer, told(Task.regression, "mean-pooled-score", [], scale=SCALE)),
    "pair, apart": (PairClassifier, told(PAIRS, "pair-linear", TWO, pairs=True, temperature=0.7)),
    "pair, together": (PairClassifier, told(PAIRS, "pair-linear", TWO, pairs=True, temperature=0.7)),
    "score of a pair, apart": (PairScorer, told(Task.regression, "pair-score", [], pairs=True, scale=SCALE)),
    "score of a pair, together": (
        PairScorer,
        told(Task.regression, "pair-score", [], pairs=True, scale=SCALE),
    ),
}


def create_model(folder: Path, base_model: Path, kind: str) -> tuple[Path, list[str]]:
    """A model of chance, and what it is asked."""
    make, card = KINDS[kind]
    torch.manual_seed(3)
    network = make(networks.pretrained(base_model), len(card.outputs))
    if isinstance(network, PairClassifier):
        torch.nn.init.normal_(network.together.weight)
        if "together" in kind:
            network.read_together()
    if isinstance(network, TextClassifier):
        vocabulary = len(network.words.places)
        weight, places = torch.randn(4, len(card.outputs)), torch.randint(4, (vocabulary,)).int()
        network.words.load_state_dict({"weight": weight, "places": places})
    artefact.save(network, card, base_model, folder)
    asked = [FIRST, SECOND] if card.pairs else [FIRST]
    rows = [Answered("test", row, "\n".join([*asked, "a"[: row % 2]]), [], [], []) for row in range(20)]
    Evidence(answered=rows).save(folder)
    return folder, asked


def alone(folder: Path, script: str | None, *asked: str) -> dict[str, Any]:
    """What the lines say in a process that cannot import the product."""
    assert script is not None
    (folder / "predict.py").write_text(script)
    answer = subprocess.run(
        [sys.executable, "-I", "predict.py", *asked],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HF_HUB_OFFLINE": "1", "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def same(ours: object, theirs: dict[str, Any]) -> None:
    match ours:
        case LabelPrediction():
            assert theirs["label"] == ours.label
            assert theirs["scores"] == pytest.approx(ours.scores, abs=0.01)
        case LabelsPrediction():
            assert set(theirs["labels"]) == set(ours.labels)
            assert theirs["scores"] == pytest.approx(ours.scores, abs=0.01)
        case ScorePrediction():
            assert theirs == pytest.approx({"score": ours.score, "error": ours.error}, abs=0.05)
        case _:
            pytest.fail(str(ours))


def create_entity_model(folder: Path, base_model: Path) -> Path:
    torch.manual_seed(4)
    network = WordClassifier(networks.pretrained(base_model, depth=0.5), 5)
    for weight in (network.head.weight, network.shapes.weight):
        torch.nn.init.normal_(weight)
    tags = tagging.tag_names(["city", "person"])
    following = tagging.following(tags, [["O", "B-person", "I-person", "B-city", "O"]])
    card = told(
        Task.token_classification, "word-linear", ["city", "person"], following=following, temperature=1.4
    )
    artefact.save(network, card.model_copy(update={"outputs": tags}), base_model, folder)
    rows = [Answered("test", row, f"The red Cat {'a' * (row % 4)}", [], [], []) for row in range(20)]
    Evidence(answered=rows).save(folder)
    return folder


# The exporter of the older kind warns that there is a newer one.
@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning", "ignore::torch.jit.TracerWarning"
)
@pytest.mark.parametrize("onnx", [False, True])
def test_a_downloaded_model_for_entities_tags_as_ours_does(
    tmp_path: Path, base_model: Path, onnx: bool
) -> None:
    model = create_entity_model(tmp_path / "model", base_model)
    text = "My old abcabc Cat in BERLIN met Ada hopper there and 2 birds"
    (ours,) = engine.load(model).predict([text])
    folder = model
    if onnx:
        folder = tmp_path / "onnx"
        parity = converting.convert(model, folder)
        assert (parity.rows, parity.same_answers) == (20, 20)
        assert parity.largest_difference < 1e-3
        for name in ("tuneport.json", "tokenizer.json"):
            shutil.copyfile(model / name, folder / name)

    tagged: Any = alone(folder, exports._script(model, onnx=onnx), text)

    assert [word for word, _ in tagged] == text.split()
    assert isinstance(ours, EntityPrediction)
    found = spans([tag for _, tag in tagged])
    assert [(one.type, one.text) for one in ours.entities] == [
        (span.type, " ".join(text.split()[span.start : span.end])) for span in found
    ]
    assert len({span.type for span in found}) == 2


# The exporter of the older kind warns that there is a newer one.
@pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::UserWarning", "ignore::torch.jit.TracerWarning"
)
@pytest.mark.parametrize("kind", list(KINDS))
def test_a_downloaded_model_says_what_ours_says(tmp_path: Path, base_model: Path, kind: str) -> None:
    model, asked = create_model(tmp_path / "model", base_model, kind)
    question: Input = Pair(first=asked[0], second=asked[1]) if len(asked) == 2 else asked[0]
    (ours,) = engine.load(model).predict([question])

    same(ours, alone(model, exports._script(model, onnx=False), *asked))

    onnx = tmp_path / "onnx"
    parity = converting.convert(model, onnx)
    shutil.copyfile(model / "tuneport.json", onnx / "tuneport.json")
    shutil.copyfile(model / "tokenizer.json", onnx / "tokenizer.json")
    assert (parity.rows, parity.same_answers) == (20, 20)
    assert parity.largest_difference < 1e-3
    same(ours, alone(onnx, exports._script(model, onnx=True), *asked))


def test_a_downloaded_chat_model_and_its_adapter_answer_as_ours(tmp_path: Path, chat_model: Path) -> None:
    network = Adapted(causal(chat_model, torch.float32), defaults(Preset.quick, Task.chat))
    for name, weight in network.state_dict().items():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.05)
    card = told(Task.chat, "causal-lora", []).model_copy(update={"outputs": []})
    model = tmp_path / "model"
    artefact.save(network, card, chat_model, model)
    form = load_format(chat_model, network.config.eos_token_id)
    answer = Answer(form.prompt([Message("user", "what is red?")]), 128)
    generate(Decoder(network.base.eval(), here(), end=form.end), [answer], together=1)

    merged = alone(model, exports._script(model, onnx=False), "what is red?")
    adapted = alone(model, offline.ADAPTER_SCRIPT, str(chat_model), "what is red?")

    # The merged weights are rounded to bfloat16, so that they may soon say something else.
    assert merged["answer"][:1] == adapted["answer"][:1]
    assert adapted["answer"] == form.text(answer.ids)
