"""The usual recipes that training is measured beside: transformers' Trainer, keywords, and SetFit."""

import json
import math
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from transformers import Trainer, TrainerCallback, TrainingArguments

from benchmarks import usual_tasks
from benchmarks.corpora import Corpus
from benchmarks.usual_tasks import Setting, texts_of
from services.training import batches, machine, networks
from services.training.networks import TextClassifier
from services.training.tokenizing import encode_texts, load_tokenizer

SETFIT = Path(__file__).with_name("setfit_alone.py")


class _Curve(TrainerCallback):
    """The score every so many rows; the seconds that this takes are told apart."""

    def __init__(self, learned: Setting, *, batch: int, every: int) -> None:
        self._learned, self._batch, self._every, self._next = learned, batch, every, every
        self.points: list[tuple[int, float]] = []
        self.last: dict[str, float] = {}
        self.seconds = 0.0

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        rows = state.global_step * self._batch
        if rows < self._next and state.global_step < state.max_steps:
            return
        self._next += self._every
        began = time.perf_counter()
        self._learned.network.eval()
        self.last = self._learned.score()
        self._learned.network.train()
        self.points.append((rows, self.last["value"]))
        print(f"{rows:,} rows: {self.last}", flush=True)
        self.seconds += time.perf_counter() - began


def trainer(
    corpus: Corpus,
    base_model: Path,
    *,
    batch: int,
    pad_to: int | None = None,
    sample: int | None = None,
    epochs: int = 1,
    bf16: bool = False,
    every: int | None = None,
) -> dict[str, Any]:
    """transformers' Trainer with a random head and all else as it comes; `pad_to` None pads each batch.

    With `sample` only the pace over so many rows; with `every` a curve of the test rows' metric over rows.
    """
    torch.manual_seed(42)
    learned = usual_tasks.setting(corpus, base_model, sample=sample, pad_to=pad_to)
    curve = _Curve(learned, batch=batch, every=every) if every else None
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=learned.network,
            args=TrainingArguments(
                output_dir=folder,
                per_device_train_batch_size=batch,
                num_train_epochs=epochs,
                bf16=bf16,
                save_strategy="no",
                logging_strategy="no",
                report_to="none",
                disable_tqdm=True,
                remove_unused_columns=False,
                use_cpu=not torch.cuda.is_available(),
            ),
            train_dataset=learned.rows,
            data_collator=learned.collate,
            callbacks=[curve] if curve else [],
        )
        began = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - began - (curve.seconds if curve else 0.0)
    rows = len(learned.rows) * epochs
    done = {"rows": rows, "seconds": seconds, "rows_per_second": rows / seconds}
    return {**done, "curve": curve.points, **curve.last} if curve else done


def compiled(corpus: Corpus, base_model: Path, *, steps: int = 40, batch: int = 64) -> dict[str, Any]:
    """Rows per second of Best's steps, plain and compiled, and after how many steps compiling repays."""
    rows = texts_of(corpus.train)[: steps * batch]
    ids, _ = encode_texts(load_tokenizer(base_model, cut_to=128), [row.text for row in rows])
    order = sorted(range(len(rows)), key=lambda row: len(ids[row]))
    here = machine.here()
    seconds: dict[str, list[float]] = {}
    for kind in ("plain", "compiled"):
        torch.manual_seed(42)
        network = TextClassifier(networks.pretrained(base_model), len(corpus.labels)).train()
        networks.freeze_embedding_table(network.encoder)
        optimiser = torch.optim.AdamW(network.parameters(), lr=1e-4)
        learn = torch.compile(network, dynamic=True) if kind == "compiled" else network
        seconds[kind] = []
        for start in range(0, len(order), batch):
            part = order[start : start + batch]
            inputs = batches.inputs([ids[row] for row in part], 0)
            labels = torch.tensor([corpus.labels.index(rows[row].label) for row in part])
            began = time.perf_counter()
            with here.autocast():
                loss = learn(**inputs, labels=labels)["loss"]
            loss.backward()
            optimiser.step()
            optimiser.zero_grad()
            seconds[kind].append(time.perf_counter() - began)
    # The first steps compile; the others tell the pace.
    plain, quick = (float(np.median(some[5:])) for some in seconds.values())
    extra = sum(seconds["compiled"]) - quick * len(seconds["compiled"])
    return {
        "seconds": sum(map(sum, seconds.values())),
        "rows_per_second": batch / quick,
        "plain_rows_per_second": batch / plain,
        "seconds_to_compile": extra,
        "steps_to_repay": extra / (plain - quick) if quick < plain else None,
    }


def keywords(corpus: Corpus) -> dict[str, Any]:
    """TF-IDF and logistic regression, by scikit-learn's own solver to its end."""
    train, test = texts_of(corpus.train), texts_of(corpus.test)
    began = time.perf_counter()
    vectors = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    features = vectors.fit_transform([row.text for row in train])
    model = LogisticRegression(C=10, max_iter=200).fit(features, [row.label for row in train])
    answers = model.predict(vectors.transform([row.text for row in test]))
    right = np.mean([answer == row.label for answer, row in zip(answers, test, strict=True)])
    return {"value": float(right), "seconds": time.perf_counter() - began}


def setfit(
    corpus: Corpus, base_model: Path, python: Path, *, iterations: int = 20, steps: int = -1
) -> dict[str, Any]:
    """SetFit in a Python of its own; with `steps` the pace alone, from which a whole run's seconds follow."""
    rows = [[row.text, row.label] for row in texts_of([*corpus.train, *corpus.validation])]
    test = [] if steps > 0 else [[row.text, row.label] for row in texts_of(corpus.test)]
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump({"train": rows, "test": test}, file)
        file.flush()
        command = [python, "-P", SETFIT, base_model, file.name, "--iterations", iterations, "--steps", steps]
        told = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(told.stdout.strip().splitlines()[-1])
    result["seconds_of_a_whole_run"] = result["seconds"] / result["steps"] * result["steps_of_a_whole_run"]
    result["rows_per_second"] = 32 * result["steps"] / result["seconds"]
    result["value"] = result.get("accuracy", math.nan)
    return result
