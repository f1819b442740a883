"""What a frozen version holds: the three splits and the rows left out, as files, and their counts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from services.datasets.examples import Example, content_hash, to_line
from services.datasets.findings.examine import examine
from services.datasets.fixes import Fix
from services.datasets.formats import Format
from services.datasets.mending import mend
from services.datasets.reading import read
from services.datasets.rejected import rejected_csv
from services.datasets.split import Split
from services.datasets.splits import Splits, split
from services.datasets.usable import require_usable

REJECTED = "rejected.csv"


@dataclass(frozen=True, slots=True)
class Frozen:
    """The counts of a version, as the columns of `DatasetVersion` with the same names say."""

    content_hash: str
    rows_in: int
    rows_used: int
    dropped: dict[str, int]
    labels: dict[str, dict[str, int]]
    splits: dict[str, int]
    train_only_labels: list[str]
    characters: int
    tokens: dict[str, Any] | None
    changes: list[dict[str, Any]]
    findings: list[dict[str, Any]]


FROZEN = TypeAdapter(Frozen)


def freeze_into(
    folder: Path,
    content: bytes,
    form: Format,
    *,
    seed: int,
    fixes: Sequence[Fix] = (),
    test: Collection[str] = (),
    base_model: Path | None = None,
) -> Frozen:
    """Read, mend and split a file, and write what came of it into a folder.

    `test` are the texts of an earlier version's test split, which stays what it is. Tokens are counted by the
    tokenizer in the folder of a base model, if there is one.

    Raises:
        ServiceError: the file cannot be used, as `read`, `mend`, `require_usable` and `split` say.
    """
    mended = mend(read(content, form), fixes)
    reading = mended.reading
    require_usable(reading)
    splits = split(reading.examples, seed=seed, given=reading.given, groups=reading.groups, frozen=test)
    diagnosis = examine(reading.examples, reading.dropped, notes=reading.notes, splits=splits)
    write_splits(folder, splits)
    (folder / REJECTED).write_bytes(rejected_csv(reading.dropped, form.columns))
    return Frozen(
        content_hash=content_hash(reading.examples),
        rows_in=reading.rows_in,
        rows_used=len(reading.examples),
        dropped={code.value: count for code, count in reading.dropped_by_code.items()},
        labels=splits.labels,
        splits=splits.rows,
        train_only_labels=list(splits.train_only),
        characters=sum(example.characters for example in reading.examples),
        tokens=tokens_of({which: splits.of(which) for which in Split}, base_model) if base_model else None,
        changes=[change.model_dump(mode="json") for change in mended.changes],
        findings=[
            {
                "code": finding.code,
                "severity": finding.severity,
                "title": finding.title,
                "count": finding.count,
            }
            for finding in diagnosis.findings
        ],
    )


def tokens_of(examples: Mapping[Split, Sequence[Example]], base_model: Path) -> dict[str, Any]:
    """The column `tokens` of a version with these examples, by the tokenizer of a base model's folder."""
    # Imported here: whoever has a version frozen, apart, counts nothing.
    from services.datasets.counting import count

    return {
        split.value: amount.model_dump(mode="json") for split, amount in count(examples, base_model).items()
    }


def write_splits(folder: Path, splits: Splits) -> None:
    """Write `train.jsonl`, `validation.jsonl` and `test.jsonl`, one canonical example per line."""
    folder.mkdir(parents=True, exist_ok=True)
    for which in Split:
        with (folder / split_file(which)).open("w", encoding="utf-8", newline="") as file:
            file.writelines(f"{to_line(example)}\n" for example in splits.of(which))


def split_file(which: Split) -> str:
    """The name of a split's file."""
    return f"{which}.jsonl"
