"""The dropped rows as a file to download: each as it came, with its number and reason in front."""

import csv
import io
from collections.abc import Iterable

from services.datasets.cells import inert
from services.datasets.dropped import Dropped


def rejected_csv(dropped: Iterable[Dropped], columns: Iterable[str]) -> bytes:
    """CSV in UTF-8 with a byte order mark, by which Excel knows it; no cell is a formula."""
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(["row", "code", "reason", *map(inert, columns)])
    for item in dropped:
        writer.writerow([item.row, item.code, item.reason, *map(inert, item.original)])
    return target.getvalue().encode("utf-8-sig")
