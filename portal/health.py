"""How good a data set version looks at first sight. Pure."""

from dataclasses import dataclass
from typing import Literal

from services.datasets.tables import DatasetVersion

# Below this many test rows a score says little: its 95 % interval is more than ±9 points wide.
FEW_TEST_ROWS = 100
# Labels that differ this much in size leave the small ones unlearned.
_IMBALANCE = 20


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about the data: a word or two for a badge, and the whole sentence."""

    word: str
    colour: Literal["green", "orange"]
    sentence: str


def findings(version: DatasetVersion) -> list[Finding]:
    """What stands out, the gravest first; empty where nothing does."""
    found: list[Finding] = []
    dropped = sum(version.dropped.values())
    if dropped:
        sentence = f"{dropped:,} of {version.rows_in:,} rows cannot be used and were left out."
        found.append(Finding(f"{dropped:,} left out", "orange", sentence))
    rare = len(version.train_only_labels)
    if rare:
        labels = "label is" if rare == 1 else "labels are"
        sentence = (
            f"{rare:,} {labels} too rare to be tested: add rows, so that each has at least three texts."
        )
        found.append(Finding(f"{rare:,} rare", "orange", sentence))
    test_rows = version.splits.get("test", 0)
    if test_rows < FEW_TEST_ROWS:
        sentence = f"Only {test_rows:,} rows are kept for the test, so the score will be rough."
        found.append(Finding("Small", "orange", sentence))
    sizes = [sum(splits.values()) for splits in version.labels.values()]
    if sizes and max(sizes) > _IMBALANCE * min(sizes):
        sentence = f"The largest label has over {_IMBALANCE} times the rows of the smallest."
        found.append(Finding("Uneven", "orange", sentence))
    return found


def badge(version: DatasetVersion) -> Finding:
    """The one finding for a list."""
    found = findings(version)
    return (
        found[0]
        if found
        else Finding("Healthy", "green", "Every row can be used, and every label is tested.")
    )
