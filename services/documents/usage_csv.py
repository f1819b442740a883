"""Use as rows for a spreadsheet: one for each day, meter and all that is known of it."""

import csv
import io
from collections.abc import Iterable, Mapping

from sqlmodel import Session

from services.accounts import keys, team
from services.accounts.scope import Member
from services.billing.names import names as names_of
from services.datasets.cells import inert
from services.metering.cloudevents import plain
from services.metering.service import WHOLE
from services.metering.sums import Sum

# What people call the thing whose id stands in the column before.
_NAMED = {"job_id": "job", "model_version_id": "model", "key_id": "key", "user_id": "member"}
_COLUMNS = [
    *("day", "meter"),
    *(column for name in WHOLE for column in ((name, _NAMED[name]) if name in _NAMED else (name,))),
    *("quantity", "events"),
]


def names(session: Session, member: Member, rows: Iterable[Sum]) -> dict[str, str]:
    """What the workspace's people call the jobs, models, keys and members of these rows, by their ids."""
    used = {value for row in rows for value in row.by}
    found = names_of(session, member, used)
    found |= {key.id: key.name for key in keys.list_keys(session, member)}
    return found | {person.user_id: person.name for person in team.colleagues(session, member)}


def csv_of(rows: Iterable[Sum], named: Mapping[str, str]) -> bytes:
    """The rows as CSV in UTF-8, oldest first; `named` has the names by id, where there still is one."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(_COLUMNS)
    for row in sorted(rows):
        told: list[str] = []
        for column, value in zip(WHOLE, row.by, strict=True):
            told += [value, named.get(value, "")] if column in _NAMED else [value]
        cells = [inert(value) for value in (row.meter, *told)]
        writer.writerow([row.day, *cells, plain(row.quantity), row.events])
    return file.getvalue().encode()
