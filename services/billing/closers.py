"""Closing a month of many workspaces, by several processes at a time where there are many.

One process is held by its own work: while it rates a month, the machine's other cores do nothing. Each month
is a transaction of its own, so that a process which is killed leaves none half closed.

    python -m services.billing.closers MICROSECONDS

reads a line of JSON for each month from its standard input and answers with one; its clock is so far off the
host's, which is zero outside tests.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import timedelta
from queue import SimpleQueue

from pydantic import TypeAdapter
from sqlalchemy.orm import defer
from sqlmodel import Session, col

from services import clock
from services.accounts.scope import across
from services.accounts.tables import Tenant
from services.billing.period import Month
from services.billing.runs import Closed, close, of_invoice
from services.billing.tables import Invoice
from services.db import reading
from services.errors import Unavailable

# A process takes about as long to start as it takes to close so many months.
WORTH_A_PROCESS = 50
_AT_MOST = 4

_CLOSED = TypeAdapter(Closed)


class CloserEnded(Unavailable):
    """A process that closes months ended before its work did."""

    code = "closing_interrupted"

    def __init__(self, status: int) -> None:
        super().__init__(
            f"A process that closes months was ended with status {status}; its log says why. What is closed "
            "stays closed, and no month is closed by half. Close the month once more for those that are left."
        )
        self.status = status


def close_all(months: Iterable[tuple[Tenant, Month]]) -> Iterator[Closed]:
    """Close a month of each workspace as `runs.close` does; gives how each ended, in their order.

    Raises:
        CloserEnded: one of its processes was killed.
    """
    months = list(months)
    with reading() as session:
        before = _closed_before(session, {month for _, month in months})
    left = [(tenant, month) for tenant, month in months if (tenant.id, month) not in before]
    processes = min(len(os.sched_getaffinity(0)), _AT_MOST, len(left) // WORTH_A_PROCESS)
    with ExitStack() as running:
        ended = _side_by_side(processes, left, running) if processes > 1 else (close(*one) for one in left)
        for tenant, month in months:
            yield before.get((tenant.id, month)) or next(ended)


def _closed_before(session: Session, months: Iterable[Month]) -> dict[tuple[str, Month], Closed]:
    found = {}
    for month in months:
        # As in `invoice_of`: its middle lies in the period, whatever the time zone.
        of_month = across(Invoice).where(
            col(Invoice.period_start) <= month.middle, col(Invoice.period_end) > month.middle
        )
        for invoice in session.exec(of_month.options(defer(Invoice.snapshot))):  # type: ignore[arg-type]
            found[invoice.tenant_id, month] = of_invoice(invoice)
    return found


class _Closer:
    """A process that closes months, one after the other."""

    def __init__(self) -> None:
        off = clock.offset() // timedelta(microseconds=1)
        self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
            [sys.executable, "-P", "-m", "services.billing.closers", str(off)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def close(self, tenant: Tenant, month: Month) -> Closed:
        """As `runs.close`, over there."""
        told, answers = self._process.stdin, self._process.stdout
        assert told is not None
        assert answers is not None
        with suppress(BrokenPipeError):
            told.write(json.dumps([tenant.id, month.year, month.month]).encode() + b"\n")
            told.flush()
        if answer := answers.readline():
            return _CLOSED.validate_json(answer)
        raise CloserEnded(self._process.wait())

    def end(self) -> None:
        """Let it go, once it has closed what it is at."""
        with suppress(BrokenPipeError):
            self._process.communicate()


def _side_by_side(
    processes: int, months: Iterable[tuple[Tenant, Month]], running: ExitStack
) -> Iterator[Closed]:
    idle: SimpleQueue[_Closer] = SimpleQueue()
    for _ in range(processes):
        closer = _Closer()
        running.callback(closer.end)
        idle.put(closer)

    def close_one(month: tuple[Tenant, Month]) -> Closed:
        closer = idle.get()
        try:
            return closer.close(*month)
        finally:
            idle.put(closer)

    threads = ThreadPoolExecutor(processes, thread_name_prefix="close")
    # Whoever asks for no more, or cannot, waits for the months that are being closed alone.
    running.callback(threads.shutdown, cancel_futures=True)
    return threads.map(close_one, months)


def main(micros_off: int) -> None:
    """Close the months that are asked for, until nobody asks any more."""
    clock.move(timedelta(microseconds=micros_off))
    for line in sys.stdin:
        tenant_id, year, month = json.loads(line)
        with reading() as session:
            tenant = session.get_one(Tenant, tenant_id)
        sys.stdout.write(_CLOSED.dump_json(close(tenant, Month(year, month))).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))
