"""How quick and how good training is, beside the usual recipes, on the same machine and data.

    python -m benchmarks.training FOLDER [--sample 640]

FOLDER holds banking77-train.csv, banking77-test.csv (PolyAI, CC BY 4.0) and wnut17-{train,dev,test}.conll
(WNUT 2017, CC BY 4.0). The two usual recipes are run on a sample, for their pace alone: the whole of them
takes an hour. Everything else is run to its end, and scored on the published test files.
"""

import argparse
import csv
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from transformers import Trainer, TrainingArguments
from transformers.utils import logging

from services.training import batches, catalogue, launcher, machine, networks
from services.training.examples import Example, TextExample, TokenExample
from services.training.launcher import Succeeded
from services.training.networks import TextClassifier
from services.training.recipe import DEFAULT_BASE_MODEL, Preset, Recipe, RunSpec, Task
from services.training.report import Report
from services.training.tokenizing import encode_texts, load_tokenizer

VALIDATION_SHARE = 0.1


@dataclass(frozen=True)
class Data:
    task: Task
    train: Sequence[Example]
    validation: Sequence[Example]
    test: Sequence[Example]
    labels: list[str]


def read_csv(path: Path) -> list[TextExample]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            TextExample(row, line["text"], line["category"])
            for row, line in enumerate(csv.DictReader(file), 2)
        ]


def read_conll(path: Path) -> list[TokenExample]:
    blocks = [block.splitlines() for block in path.read_text("utf-8").split("\n\n") if block.strip()]
    pairs = [[line.split("\t") for line in block if line.strip()] for block in blocks]
    return [
        TokenExample(row, [word for word, _ in pair], [tag for _, tag in pair])
        for row, pair in enumerate(pairs, 1)
    ]


def banking77(folder: Path) -> Data:
    rows = read_csv(folder / "banking77-train.csv")
    random.Random(42).shuffle(rows)
    held_out = int(len(rows) * VALIDATION_SHARE)
    labels = sorted({row.label for row in rows})
    test = read_csv(folder / "banking77-test.csv")
    return Data(Task.text_classification, rows[held_out:], rows[:held_out], test, labels)


def wnut17(folder: Path) -> Data:
    train, validation, test = (
        read_conll(folder / f"wnut17-{part}.conll") for part in ("train", "dev", "test")
    )
    types = sorted({tag[2:] for row in train for tag in row.tags if tag != "O"})
    return Data(Task.token_classification, train, validation, test, types)


def usual_recipe(data: Data, base_model: Path, sample: int, *, pad_to: int | None, batch: int) -> float:
    """Rows per second of transformers' Trainer, with a random head; `pad_to` None pads each batch."""
    rows = [row for row in data.train if isinstance(row, TextExample)][:sample]
    ids, _ = encode_texts(load_tokenizer(base_model, cut_to=128), [row.text for row in rows])
    numbers = {label: number for number, label in enumerate(data.labels)}
    features = [
        {"input_ids": row, "labels": numbers[text.label]} for row, text in zip(ids, rows, strict=True)
    ]

    def collate(batch: list[dict[str, object]]) -> dict[str, torch.Tensor]:
        padded = [row["input_ids"] for row in batch]
        tensors = batches.inputs([*padded, [0] * pad_to] if pad_to else padded, 0)
        tensors = {name: tensor[: len(batch)] for name, tensor in tensors.items()}
        return {**tensors, "labels": torch.tensor([row["labels"] for row in batch])}

    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=TextClassifier(networks.pretrained(base_model), len(data.labels)),
            args=TrainingArguments(
                output_dir=folder,
                per_device_train_batch_size=batch,
                num_train_epochs=1,
                save_strategy="no",
                logging_strategy="no",
                report_to="none",
                disable_tqdm=True,
                remove_unused_columns=False,
                use_cpu=not torch.cuda.is_available(),
            ),
            train_dataset=features,
            data_collator=collate,
        )
        began = time.perf_counter()
        trainer.train()
        return len(features) / (time.perf_counter() - began)


def keywords(data: Data) -> tuple[float, float]:
    """Accuracy and seconds of TF-IDF and logistic regression, by scikit-learn's own solver to its end."""
    train, test = ([row for row in rows if isinstance(row, TextExample)] for rows in (data.train, data.test))
    began = time.perf_counter()
    vectors = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    features = vectors.fit_transform([row.text for row in train])
    model = LogisticRegression(C=10, max_iter=200).fit(features, [row.label for row in train])
    answers = model.predict(vectors.transform([row.text for row in test]))
    right = np.mean([answer == row.label for answer, row in zip(answers, test, strict=True)])
    return float(right), time.perf_counter() - began


def ours(data: Data, base_model: Path, preset: Preset) -> tuple[Report, float, float]:
    """The report, the seconds until it was there, and the rows trained per second, if any were."""
    recipe = Recipe(task=data.task, preset=preset)
    spec = RunSpec(recipe=recipe, base_model_path=base_model, labels=data.labels, data_hash="")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        launcher.prepare(folder, spec, train=data.train, validation=data.validation, test=data.test)
        began = time.perf_counter()
        with launcher.start(folder) as run:
            outcome = run.outcome()
            seconds = time.perf_counter() - began
            paces = [event.values["rows_per_second"] for event in run.events() if "loss" in event.values]
        if not isinstance(outcome, Succeeded):
            raise SystemExit(f"{outcome}\n{(folder / 'run.log').read_text()}")
    return outcome.report, seconds, float(np.median(paces)) if paces else 0.0


def tell(
    what: str, *, score: float | None, seconds: float | None, pace: float | None, more: str = ""
) -> None:
    shown = [
        f"{score:.4f}" if score is not None else "",
        f"{seconds:.1f}" if seconds is not None else "",
        f"{pace:.0f}" if pace else "",
    ]
    print(f"| {what:<52} | {shown[0]:>8} | {shown[1]:>8} | {shown[2]:>8} | {more}", flush=True)


def tell_ours(name: str, data: Data, base_model: Path) -> None:
    for preset in (Preset.quick, Preset.best):
        report, seconds, pace = ours(data, base_model, preset)
        phases = ", ".join(f"{phase} {spent:.1f}" for phase, spent in report.seconds.items())
        low, high = report.interval
        tell(
            f"{name}: ours, {preset}",
            score=report.value,
            seconds=seconds,
            pace=pace,
            more=f"{low:.4f}–{high:.4f}; {phases}",
        )
        if preset is Preset.quick:
            for baseline in report.baselines:
                tell(
                    f"{name}: {baseline.name} (in the report)", score=baseline.value, seconds=None, pace=None
                )


def main(folder: Path, sample: int) -> None:
    logging.set_verbosity_error()
    here = machine.here()
    base_model = catalogue.resolve(DEFAULT_BASE_MODEL, Path(tempfile.gettempdir()))
    print(f"{here.name}; bfloat16 {'used' if here.bf16 else 'not used'}; base model {DEFAULT_BASE_MODEL}\n")
    print(f"| {'what':<52} | {'test':>8} | {'seconds':>8} | {'rows/s':>8} | 95 %; seconds of each phase")
    print(f"| {'-' * 52} | {'-' * 8} | {'-' * 8} | {'-' * 8} | ---")

    texts = banking77(folder)
    recipes: list[tuple[str, Callable[[], float]]] = [
        ("padded to 128, batch 16", lambda: usual_recipe(texts, base_model, sample, pad_to=128, batch=16)),
        (
            "padded per batch, batch 32",
            lambda: usual_recipe(texts, base_model, 4 * sample, pad_to=None, batch=32),
        ),
    ]
    for name, measure in recipes:
        tell(f"banking77: Trainer, {name}", score=None, seconds=None, pace=measure())
    accuracy, seconds = keywords(texts)
    tell("banking77: TF-IDF + logistic regression", score=accuracy, seconds=seconds, pace=None)
    tell_ours("banking77", texts, base_model)
    tell_ours("WNUT-17", wnut17(folder), base_model)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sample", type=int, default=640, help="rows the slowest recipe is timed on")
    arguments = parser.parse_args()
    main(arguments.folder, arguments.sample)
