"""Use as rows for a spreadsheet: one for each day, meter and all that is known of it."""

import csv
import io
from collections.abc import Iterable

from services.datasets.cells import inert
from services.metering.cloudevents import plain
from services.metering.service import WHOLE
from services.metering.sums import Sum

_COLUMNS = ("day", "meter", *WHOLE, "quantity", "events")


def csv_of(rows: Iterable[Sum]) -> bytes:
    """The rows as CSV in UTF-8, oldest first."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    for row in sorted(rows):
        names = [inert(value) for value in (row.meter, *row.by)]
        writer.writerow([row.day, *names, plain(row.quantity), row.events])
    return file.getvalue().encode()
