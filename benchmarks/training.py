"""How quick and how good training is, beside the usual recipes, on the same machine and data.

    python -m benchmarks.training FOLDER --parts pace quick best --results training.json
    python -m benchmarks.training FOLDER --parts table --results training.json

FOLDER holds the data sets that docs/benchmarks.md names. Each part is measured in a process of its own and
kept in the results file, so that parts can be run apart, and the tables put together of what there is:

    pace            rows per second and peak memory of the usual recipes, over a sample (4 minutes)
    curve           the tutorial's recipe over its five epochs: accuracy over rows (long; times tell nothing)
    curve-trainer   the same of Trainer with batches padded to their own length
    compile         Best's optimiser steps a second with and without torch.compile, and what compiling takes
    keywords        TF-IDF and logistic regression
    quick, best     our presets on banking77
    quick-seeds, best-seeds: the same with each draw as the seed, of the split as well
    few             Few-shot, and Quick without words, on 8 rows of each label
    few-16, few-32, few-64: the same on so many (long: ten passes by halves and one by all)
    few-best, few-16-best, few-32-best, few-64-best: Best and Quick on the same rows
    setfit          SetFit on 8 rows of each label; needs --setfit (long)
    setfit-64       the same on 64, with one pair of each kind for each row
    wnut, wnut-best, emotions, emotions-best: our presets on WNUT-17 and GoEmotions (long)
    wnut-trainer, emotions-trainer: Trainer on the same, batches padded to their own length (long)
    some-emotions-best, some-emotions-trainer: on 8,000 training rows of GoEmotions
    one-emotion-best, one-emotion-trainer: on 10,000 training rows of GoEmotions that have one label alone

The tutorial's recipe pads each row to 128 tokens. Padding is masked, so that its accuracy after so many
rows is computed with batches padded to their own length, in bfloat16 where there is; its time is those rows
through the pace measured with the real padding in float32.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from transformers.utils import logging

from benchmarks import corpora, usual_training
from benchmarks.corpora import Corpus
from services.training import machine
from services.training.bases import catalogue
from services.training.process import launcher
from services.training.process.launcher import Succeeded
from services.training.recipe import DEFAULT_BASE_MODEL, Preset, Recipe, RunSpec

# Of the accuracy that a recipe reaches, the first that is worth telling, and the step to the next.
LEVELS = (0.80, 0.85, 0.88, 0.90, 0.91, 0.92, 0.925, 0.93, 0.935)
EPOCHS, EVERY = 5, 4_500
# Rows of each label.
FEW = {"few": 8, "few-16": 16, "few-32": 32, "few-64": 64}
Measured = dict[str, Any]


def ours(corpus: Corpus, base_model: Path, preset: Preset, seed: int = 42) -> Measured:
    """A run from its start to its report, and when its first model was there."""
    recipe = Recipe(task=corpus.task, preset=preset, seed=seed)
    spec = RunSpec(recipe=recipe, base_model_path=base_model, labels=corpus.labels, data_hash="")
    first: float | None = None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        launcher.prepare(folder, spec, train=corpus.train, validation=corpus.validation, test=corpus.test)
        began = time.perf_counter()
        with launcher.start(folder) as run:
            while run.poll() is None:
                if first is None and (folder / "first/report.json").exists():
                    first = time.perf_counter() - began
                time.sleep(0.2)
            seconds = time.perf_counter() - began
            outcome = run.outcome()
            events = list(run.events())
        if not isinstance(outcome, Succeeded):
            raise SystemExit(f"{outcome}\n{(folder / 'run.log').read_text()}")
        early = folder / "first/report.json"
        first_value = json.loads(early.read_text())["value"] if early.exists() else None
    report = outcome.report
    paces = [
        event.values["rows_per_second"]
        for event in events
        if "learning_rate" in event.values and "rows_per_second" in event.values
    ]
    return {
        "metric": report.metric,
        "value": report.value,
        "interval": report.interval,
        "macro_f1": report.macro_f1,
        "validation": report.validation_value,
        "seconds": seconds,
        "first_seconds": first,
        "first_value": first_value,
        "phases": report.seconds,
        "rows": report.rows.model_dump(),
        "rows_per_second": float(np.median(paces)) if paces else None,
        "baselines": {one.name: one.value for one in report.baselines},
        "notes": [event.message for event in events if event.message],
    }


def parts(folder: Path, base: Path, options: argparse.Namespace) -> dict[str, Callable[[], Measured]]:
    """What can be measured, by name; those that have draws are named with their draw."""
    usual, sample = usual_training, options.sample
    bf16 = machine.here().bf16

    def banking() -> Corpus:
        return corpora.banking77(folder)

    def few(each: int, draw: int) -> Corpus:
        return corpora.few_of_banking77(folder, each, draw)

    def setfit(each: int, draw: int, iterations: int, steps: int = -1) -> Measured:
        if options.setfit is None:
            raise SystemExit(
                "Name the Python that has SetFit: --setfit venv/bin/python (docs/benchmarks.md)."
            )
        return usual.setfit(few(each, draw), base, options.setfit, iterations=iterations, steps=steps)

    found: dict[str, Callable[[], Measured]] = {
        "pace-tutorial": lambda: usual.trainer(banking(), base, batch=16, pad_to=128, sample=sample),
        "pace-trainer": lambda: usual.trainer(banking(), base, batch=32, sample=4 * sample),
        **({"pace-setfit": lambda: setfit(8, 1, 20, steps=60)} if options.setfit else {}),
        "curve": lambda: usual.trainer(banking(), base, batch=16, epochs=EPOCHS, every=EVERY, bf16=bf16),
        "curve-trainer": lambda: usual.trainer(
            banking(), base, batch=32, epochs=EPOCHS, every=EVERY, bf16=bf16
        ),
        "compile": lambda: usual.compiled(banking(), base),
        "keywords": lambda: usual.keywords(banking()),
        "quick": lambda: ours(banking(), base, Preset.quick),
        "best": lambda: ours(banking(), base, Preset.best),
        "wnut": lambda: ours(corpora.wnut17(folder), base, Preset.quick),
        "wnut-best": lambda: ours(corpora.wnut17(folder), base, Preset.best),
        "wnut-trainer": lambda: usual.trainer(
            corpora.wnut17(folder), base, batch=16, epochs=EPOCHS, every=3_394
        ),
        "emotions": lambda: ours(corpora.goemotions(folder), base, Preset.quick),
        "emotions-best": lambda: ours(corpora.goemotions(folder), base, Preset.best),
        "emotions-trainer": lambda: usual.trainer(
            corpora.goemotions(folder), base, batch=32, epochs=EPOCHS, every=43_410, bf16=bf16
        ),
        "one-emotion-best": lambda: ours(corpora.one_emotion(folder), base, Preset.best),
        "one-emotion-trainer": lambda: usual.trainer(
            corpora.one_emotion(folder), base, batch=32, epochs=EPOCHS, every=10_000, bf16=bf16
        ),
        "some-emotions-best": lambda: ours(corpora.part_of_goemotions(folder), base, Preset.best),
        "some-emotions-trainer": lambda: usual.trainer(
            corpora.part_of_goemotions(folder), base, batch=32, epochs=EPOCHS, every=8_000, bf16=bf16
        ),
    }
    for draw in options.draws:
        found |= {
            **{
                f"{name}{kind}:{draw}": lambda each=each, draw=draw, preset=preset: ours(
                    few(each, draw), base, preset
                )  # type: ignore[misc]
                for name, each in FEW.items()
                for kind, preset in (("", Preset.few_shot), ("-best", Preset.best))
            },
            **{
                f"{preset.value}-seeds:{draw}": lambda preset=preset, draw=draw: ours(
                    corpora.banking77(folder, draw), base, preset, draw
                )  # type: ignore[misc]
                for preset in (Preset.quick, Preset.best)
            },
            f"setfit:{draw}": lambda draw=draw: setfit(8, draw, options.iterations),  # type: ignore[misc]
            f"setfit-64:{draw}": lambda draw=draw: setfit(64, draw, 1),  # type: ignore[misc]
        }
    return found


def measure(name: str, folder: Path, options: argparse.Namespace) -> None:
    """One part, in this process; prints what was measured as its last line."""
    logging.set_verbosity_error()
    base = catalogue.resolve(DEFAULT_BASE_MODEL, Path(tempfile.gettempdir()))
    measured = parts(folder, base, options)[name]()
    who = resource.RUSAGE_CHILDREN if "phases" in measured else resource.RUSAGE_SELF
    measured.setdefault("peak_mb", resource.getrusage(who).ru_maxrss / 1024)
    print(json.dumps({**measured, "machine": machine.here().name}))


def table(results: dict[str, Measured]) -> None:
    """The tables of docs/benchmarks.md, of what there is."""
    print("| what | value | seconds | first model, seconds | rows/s | peak MB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, one in results.items():
        value = one.get("value")
        seconds = one.get("seconds_of_a_whole_run", one["seconds"])
        pace, first = one.get("rows_per_second"), one.get("first_seconds")
        cells = (
            f"{value:.1%}" if value and value == value else "",
            f"{seconds:.1f}",
            f"{first:.1f}" if first else "",
            f"{pace:.0f}" if pace else "",
            f"{one['peak_mb']:.0f}",
        )
        print(f"| {name} | {' | '.join(cells)} |")
    _levels(results)
    of_few = (f"{name}{kind}" for name in FEW for kind in ("", "-best"))
    for kind in ("quick-seeds", "best-seeds", *of_few, "setfit", "setfit-64"):
        draws = [one for name, one in results.items() if name.startswith(f"{kind}:")]
        if draws:
            values = np.array([one["value"] for one in draws])
            quick = [one["first_value"] for one in draws if one.get("first_value")]
            of_quick = f"; its Quick {np.mean(quick):.2%}" if quick else ""
            print(f"\n{kind}: {values.mean():.2%} ± {values.std():.2%} over {len(draws)} draws{of_quick}")


def _levels(results: dict[str, Measured]) -> None:
    reached: dict[str, list[tuple[float, float]]] = {}
    for name, pace in (("curve", "pace-tutorial"), ("curve-trainer", "pace-trainer")):
        if name in results and pace in results:
            rate = results[pace]["rows_per_second"]
            reached[name] = [(rows / rate, value) for rows, value in results[name]["curve"]]
    for name in ("keywords", "quick", "best"):
        if name in results:
            one = results[name]
            early = [(one["first_seconds"], one["first_value"])] if one.get("first_seconds") else []
            reached[name] = [*early, (one["seconds"], one["value"])]
    print(f"\n| seconds until | {' | '.join(f'{level:.1%}' for level in LEVELS)} |")
    print(f"| --- |{' ---: |' * len(LEVELS)}")
    for name, points in reached.items():
        times = (min((at for at, value in points if value >= level), default=None) for level in LEVELS)
        print(f"| {name} | {' | '.join('' if at is None else f'{at:,.0f}' for at in times)} |")


def main(options: argparse.Namespace) -> None:
    folder, file = options.folder, options.results
    results: dict[str, Measured] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    names = list(parts(folder, Path(), options))
    for wanted in options.parts:
        for name in names:
            if wanted not in (
                name,
                name.partition(":")[0],
                name.partition("-")[0] if wanted == "pace" else "",
            ):
                continue
            command = [sys.executable, "-m", "benchmarks.training", *sys.argv[1:], "--alone", name]
            told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            results[name] = json.loads(told.stdout.strip().splitlines()[-1])
            file.write_text(json.dumps(results, indent=1), "utf-8")
            print(
                f"{name}: {json.dumps({k: v for k, v in results[name].items() if k != 'curve'})}", flush=True
            )
    table(results)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--parts", nargs="+", default=["pace", "keywords", "quick", "best", "few", "table"], metavar="PART"
    )
    parser.add_argument("--results", type=Path, default=Path("training.json"))
    parser.add_argument("--draws", nargs="+", type=int, default=[1], help="draws of few rows, and seeds")
    parser.add_argument("--sample", type=int, default=640, help="rows the slowest recipe is timed on")
    parser.add_argument(
        "--iterations", type=int, default=20, help="pairs of each kind for each row, of SetFit"
    )
    parser.add_argument("--setfit", type=Path, help="a Python that has SetFit")
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.alone:
        measure(arguments.alone, arguments.folder, arguments)
    else:
        main(arguments)
