"""The public data sets that training is measured on, from a folder; docs/benchmarks.md says whose."""

import csv
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from services.training.examples import Example, MultiLabelExample, TextExample, TokenExample
from services.training.recipe import Task

VALIDATION_SHARE = 0.1
# Of a label's few rows, one in so many is for validation.
_FEW_VALIDATION = 8


@dataclass(frozen=True)
class Corpus:
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
    # Some of the lines between sentences hold a tab.
    blank = re.compile(r"\n\s*\n")
    blocks = [block.splitlines() for block in blank.split(path.read_text("utf-8")) if block.strip()]
    pairs = [[line.split("\t") for line in block if line.strip()] for block in blocks]
    return [
        TokenExample(row, [word for word, _ in pair], [tag for _, tag in pair])
        for row, pair in enumerate(pairs, 1)
    ]


def read_emotions(path: Path, labels: Sequence[str]) -> list[MultiLabelExample]:
    lines = path.read_text("utf-8").splitlines()
    return [
        MultiLabelExample(row, text, sorted(labels[int(number)] for number in numbers.split(",")))
        for row, (text, numbers, _) in enumerate((line.split("\t") for line in lines), 1)
    ]


def banking77(folder: Path, seed: int = 42) -> Corpus:
    rows = read_csv(folder / "banking77-train.csv")
    random.Random(seed).shuffle(rows)
    held_out = int(len(rows) * VALIDATION_SHARE)
    labels = sorted({row.label for row in rows})
    test = read_csv(folder / "banking77-test.csv")
    return Corpus(Task.text_classification, rows[held_out:], rows[:held_out], test, labels)


def few_of_banking77(folder: Path, each: int, draw: int) -> Corpus:
    """So many rows of each label in all, some of them for validation; who knows no validation takes both."""
    whole = banking77(folder)
    rows = sorted([*whole.train, *whole.validation], key=lambda row: row.row)
    chance = random.Random(draw)
    train, validation = [], []
    for label in whole.labels:
        own = [row for row in rows if isinstance(row, TextExample) and row.label == label]
        drawn = chance.sample(own, min(each, len(own)))
        validation += drawn[::_FEW_VALIDATION]
        train += [row for place, row in enumerate(drawn) if place % _FEW_VALIDATION]
    return replace(whole, train=train, validation=validation)


def wnut17(folder: Path) -> Corpus:
    train, validation, test = (
        read_conll(folder / f"wnut17-{part}.conll") for part in ("train", "dev", "test")
    )
    types = sorted({tag[2:] for row in train for tag in row.tags if tag != "O"})
    return Corpus(Task.token_classification, train, validation, test, types)


def goemotions(folder: Path) -> Corpus:
    labels = (folder / "goemotions-labels.txt").read_text("utf-8").split()
    train, validation, test = (
        read_emotions(folder / f"goemotions-{part}.tsv", labels) for part in ("train", "dev", "test")
    )
    return Corpus(Task.multi_label, train, validation, test, sorted(labels))


def part_of_goemotions(folder: Path) -> Corpus:
    """The first rows of each split."""
    whole = goemotions(folder)
    return replace(
        whole, train=whole.train[:8_000], validation=whole.validation[:2_000], test=whole.test[:2_500]
    )


def one_emotion(folder: Path) -> Corpus:
    """The first rows of each split that have one label alone."""
    whole = goemotions(folder)

    def alone(rows: Sequence[Example], most: int) -> list[TextExample]:
        found = [
            TextExample(row.row, row.text, row.labels[0])
            for row in rows
            if isinstance(row, MultiLabelExample) and len(row.labels) == 1
        ]
        return found[:most]

    return Corpus(
        Task.text_classification,
        alone(whole.train, 10_000),
        alone(whole.validation, 2_000),
        alone(whole.test, 4_000),
        whole.labels,
    )
