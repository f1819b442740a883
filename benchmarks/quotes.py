"""How near a quote comes to the time that a run then takes.

    python -m benchmarks.quotes FOLDER [--minutes 12] [--runs "banking77 best" "garden advice quick" ...]

FOLDER holds the public data sets that docs/benchmarks.md names; the others ship with the product. The device
is measured first, as a worker does it; then each data set is quoted from its counted tokens and trained, from
the start of the process to its report. No run is started whose quote says that it may not end in time.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import corpora
from benchmarks.corpora import Corpus
from services.config import settings
from services.datasets.counting import count
from services.datasets.examples import ChatExample, from_line
from services.datasets.freezing import split_file, write_splits
from services.datasets.preview import DEFAULT_SEED, inspect
from services.datasets.reading import read
from services.datasets.samples import BOOKS_FOR_READERS, GARDEN_ADVICE, GUEST_REVIEWS, PLACE_NAMES, Sample
from services.datasets.split import Split
from services.datasets.splits import split
from services.training import machine
from services.training.bases import catalogue
from services.training.examples import write
from services.training.process import launcher
from services.training.process.launcher import Succeeded
from services.training.quoting import quote
from services.training.quoting.device import Measuring
from services.training.quoting.lengths import Amount, guessed
from services.training.quoting.speed import Speed
from services.training.recipe import Preset, Recipe, RunSpec, Task, default_base_model

# Training rows for each row of validation, and of test.
HELD_OUT = 8
# Puts the splits into a run's data folder; gives task and labels.
Prepare = Callable[[Path, Path], tuple[Task, list[str]]]


def of_corpus(
    read_corpus: Callable[[Path], Corpus], rows: int, public: Path, data: Path
) -> tuple[Task, list[str]]:
    """So many training rows and an eighth as many of validation and test, with all labels."""
    corpus, held_out = read_corpus(public), max(1, rows // HELD_OUT)
    data.mkdir(parents=True)
    for name, some in (
        ("train", corpus.train[:rows]),
        ("validation", corpus.validation[:held_out]),
        ("test", corpus.test[:held_out]),
    ):
        write(data / f"{name}.jsonl", some)
    return corpus.task, corpus.labels


def of_sample(sample: Sample, _: Path, data: Path) -> tuple[Task, list[str]]:
    form, _seen = inspect(sample.read())
    reading = read(sample.read(), form)
    splits = split(reading.examples, seed=DEFAULT_SEED, groups=reading.groups)
    write_splits(data, splits)
    return form.task, sorted(splits.labels)


RUNS: dict[str, tuple[Prepare, Preset]] = {
    "banking77 quick": (partial(of_corpus, corpora.banking77, 4_000), Preset.quick),
    "guest reviews quick": (partial(of_sample, GUEST_REVIEWS), Preset.quick),
    "books for readers quick": (partial(of_sample, BOOKS_FOR_READERS), Preset.quick),
    "garden advice quick": (partial(of_sample, GARDEN_ADVICE), Preset.quick),
    "place names quick": (partial(of_sample, PLACE_NAMES), Preset.quick),
    # Eight of each label, one of them for validation.
    "banking77 few-shot": (
        partial(of_corpus, partial(corpora.few_of_banking77, each=8, draw=1), 7 * 77),
        Preset.few_shot,
    ),
    "banking77 best": (partial(of_corpus, corpora.banking77, 1_000), Preset.best),
    "guest reviews best": (partial(of_sample, GUEST_REVIEWS), Preset.best),
    "books for readers best": (partial(of_sample, BOOKS_FOR_READERS), Preset.best),
    "goemotions best": (partial(of_corpus, corpora.goemotions, 1_000), Preset.best),
    "place names best": (partial(of_sample, PLACE_NAMES), Preset.best),
    "wnut17 quick": (partial(of_corpus, corpora.wnut17, 500), Preset.quick),
    "garden advice best": (partial(of_sample, GARDEN_ADVICE), Preset.best),
}


def measured() -> Speed:
    measuring = Measuring()
    while (speed := measuring.speed()) is None:
        time.sleep(0.1)
    return speed


def counted(data: Path, base_model: Path) -> tuple[dict[str, Amount], dict[str, Amount]]:
    """By its tokens, and as it is guessed from characters."""
    examples = {
        which: [from_line(line) for line in (data / split_file(which)).read_text("utf-8").split("\n") if line]
        for which in Split
    }
    characters = sum(example.characters for some in examples.values() for example in some)
    rows = {which.value: len(some) for which, some in examples.items()}
    tokens = {which.value: amount for which, amount in count(examples, base_model).items()}
    return tokens, guessed(rows, characters, chat=isinstance(examples[Split.train][0], ChatExample))


def taken(folder: Path) -> float:
    """Seconds from the start of the process to its report."""
    began = time.perf_counter()
    with launcher.start(folder) as run:
        while run.poll() is None:
            time.sleep(0.1)
        seconds, outcome = time.perf_counter() - began, run.outcome()
    if not isinstance(outcome, Succeeded):
        raise SystemExit(f"{outcome}\n{(folder / 'run.log').read_text()}")
    return seconds


def main(public: Path, names: list[str], minutes: float) -> None:
    ends = time.monotonic() + 60 * minutes
    here, speed = machine.here(), measured()
    chat = speed.chat
    print(
        f"{here.name}; read {speed.read:,.0f} and trained {speed.trained:,.0f} tokens a second, chat "
        f"trained {chat.trained if chat else 0:,.0f}, read {chat.read if chat else 0:,.0f}, written "
        f"{chat.written if chat else 0:,.0f}; start {speed.start_seconds:.1f} s\n"
    )
    print("| data set | preset | training rows | from characters | from tokens | took | within |")
    print("| --- | --- | ---: | ---: | ---: | ---: | --- |")
    within, off = [], []
    for name in names:
        prepare, preset = RUNS[name]
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "run"
            task, labels = prepare(public, folder / "data")
            recipe = Recipe(task=task, preset=preset)
            base_model = catalogue.resolve(default_base_model(task), settings().cache_folder)
            spec = RunSpec(recipe=recipe, base_model_path=base_model, labels=labels, data_hash="")
            (folder / "spec.json").write_text(spec.model_dump_json(), "utf-8")
            amounts = counted(folder / "data", base_model)
            told, before = (
                quote.estimate(
                    recipe, amounts=one, labels=len(labels), device_class=here.device.type, speeds=[speed]
                )
                for one in amounts
            )
            if time.monotonic() + told.seconds_high > ends:
                print(f"| {name.removesuffix(preset.value)}| {preset} | not in time | | | | |")
                continue
            seconds = taken(folder)
        within.append(told.seconds_low <= seconds <= told.seconds_high)
        off.append(seconds / told.seconds_high)
        print(
            f"| {name.removesuffix(preset.value)}| {preset} | {amounts[0]['train'].rows.rows:,} "
            f"| {before.seconds_low}–{before.seconds_high} s | {told.seconds_low}–{told.seconds_high} s "
            f"| {seconds:.0f} s | {'yes' if within[-1] else 'no'} |",
            flush=True,
        )
    if within:
        print(
            f"\n{sum(within)} of {len(within)} runs took what was quoted from tokens; the median run took "
            f"{median(off):.0%} of the most that it may cost, the longest {max(off):.0%}."
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--minutes", type=float, default=12.0)
    parser.add_argument("--runs", nargs="+", choices=list(RUNS), default=list(RUNS))
    arguments = parser.parse_args()
    main(arguments.folder, arguments.runs, arguments.minutes)
