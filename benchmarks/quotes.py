"""How near a quote comes to the time that a run then takes.

    python -m benchmarks.quotes FOLDER [--rows 500 2000]

FOLDER holds the data sets that docs/benchmarks.md names. The device is measured first, as a worker does it;
then samples of each data set are quoted and trained, from the start of the process to its report.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

from transformers.utils import logging

from benchmarks import corpora
from benchmarks.corpora import Corpus
from benchmarks.training import ours
from services.training import catalogue, machine, quote
from services.training.device import Measuring
from services.training.examples import Example, MultiLabelExample, TextExample, TokenExample
from services.training.lengths import guessed
from services.training.quote import Estimate
from services.training.recipe import DEFAULT_BASE_MODEL, Preset, Recipe
from services.training.speed import Speed

CORPORA: list[Callable[[Path], Corpus]] = [corpora.banking77, corpora.wnut17, corpora.goemotions]
# Training rows for each row of validation, and of test.
HELD_OUT = 8


def measured() -> Speed:
    measuring = Measuring()
    while (speed := measuring.speed()) is None:
        time.sleep(0.1)
    return speed


def sample(corpus: Corpus, rows: int) -> Corpus:
    """So many training rows and an eighth as many of validation and test, with all labels."""
    held_out = max(1, rows // HELD_OUT)
    return replace(
        corpus,
        train=corpus.train[:rows],
        validation=corpus.validation[:held_out],
        test=corpus.test[:held_out],
    )


def quoted(corpus: Corpus, preset: Preset, device_class: str, speeds: Sequence[Speed]) -> Estimate:
    splits = {"train": corpus.train, "validation": corpus.validation, "test": corpus.test}
    return quote.estimate(
        Recipe(task=corpus.task, preset=preset),
        amounts=guessed(
            {name: len(rows) for name, rows in splits.items()},
            sum(characters(row) for rows in splits.values() for row in rows),
            chat=False,
        ),
        labels=len(corpus.labels),
        device_class=device_class,
        speeds=speeds,
    )


def characters(row: Example) -> int:
    match row:
        case TokenExample():
            return len(" ".join(row.tokens))
        case TextExample() | MultiLabelExample():
            return len(row.text)
    raise ValueError("No data set here has such rows.")


def main(folder: Path, sizes: Sequence[int]) -> None:
    logging.set_verbosity_error()
    here = machine.here()
    base = catalogue.resolve(DEFAULT_BASE_MODEL, Path(tempfile.gettempdir()))
    speed = measured()
    print(
        f"{here.name}; read {speed.read:,.0f} and trained {speed.trained:,.0f} tokens a second, "
        f"start {speed.start_seconds:.1f} s\n"
    )
    print("| data set | preset | training rows | shipped figures | measured device | took |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    within, off = [], []
    for read in CORPORA:
        whole = read(folder)
        for rows in sizes:
            corpus = sample(whole, rows)
            for preset in (Preset.quick, Preset.best):
                before = quoted(corpus, preset, here.device.type, [])
                told = quoted(corpus, preset, here.device.type, [speed])
                took = ours(corpus, base, preset)["seconds"]
                within.append(told.seconds_low <= took <= told.seconds_high)
                off.append(took / told.seconds_high)
                print(
                    f"| {read.__name__} | {preset} | {rows:,} | {before.seconds_low}–{before.seconds_high} s "
                    f"| {told.seconds_low}–{told.seconds_high} s | {took:.0f} s |",
                    flush=True,
                )
    print(
        f"\n{sum(within)} of {len(within)} runs took what the measured quote said; the median run took "
        f"{median(off):.0%} of the most that it may cost, the longest {max(off):.0%}."
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[500, 2_000])
    arguments = parser.parse_args()
    main(arguments.folder, arguments.rows)
