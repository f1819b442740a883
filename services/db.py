"""The database: one engine, two kinds of transaction, and the column types that both databases share."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from functools import cache, partial
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Table,
    create_engine,
    event,
    func,
)
from sqlalchemy import Enum as EnumType
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.orm import make_transient_to_detached
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Session, SQLModel, select

from services import clock
from services.config import settings
from services.line import Place

BUSY_TIMEOUT_MS = 30_000
# Six decimals hold a micro-second and a millionth of a token; 64 bits then reach nine million million.
QUANTITY_SCALE = 6
_SURELY_ALIVE_SECONDS = 0.2

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Json = JSON().with_variant(JSONB(), "postgresql")
# None is the database's own NULL, so that what is missing can be asked for.
JsonOrNull = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC, also on SQLite, which keeps no time zone."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """A timestamp with time zone wherever there is one."""
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse what has no time zone; SQLite then gets naive UTC, so that text order is time order."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without time zone reached the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Give the time zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Quantity(TypeDecorator[Decimal]):
    """A Decimal kept as an integer of millionths, so that sums are exact on both databases."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """Scale up; more decimals than six are a mistake of the caller."""
        if value is None:
            return None
        scaled = Decimal(value).scaleb(QUANTITY_SCALE)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"a quantity has at most {QUANTITY_SCALE} decimals")
        return int(scaled)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        """Scale down; a SUM on Postgres arrives as Decimal, on SQLite as int."""
        return None if value is None else Decimal(int(value)).scaleb(-QUANTITY_SCALE)


def one_of(words: type[Enum]) -> EnumType:
    """A text column that holds only the values of `words`, checked by the database."""
    return EnumType(
        words,
        native_enum=False,
        create_constraint=True,
        length=24,
        name=words.__name__.lower(),
        values_callable=lambda enum: [member.value for member in enum],
    )


@cache
def engine_for(url: str) -> Engine:
    """The engine of a database address; one for each process and address."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(parsed, pool_size=10, max_overflow=20)
        event.listen(engine, "checkin", _note_return)
        event.listen(engine, "checkout", partial(_check_idle, engine.dialect))
        return engine

    if parsed.database:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "checkin", _leave_line)
    return engine


def _note_return(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info["returned_at"] = time.monotonic()


def _check_idle(dialect: Dialect, connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    # A database that was started anew has cut whatever lay in the pool: ask, unless it answered just now.
    if time.monotonic() - record.info.get("returned_at", math.inf) < _SURELY_ALIVE_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except psycopg.Error as error:
        raise InvalidatePoolError from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # Python's driver would open transactions by itself, and late: we say BEGIN ourselves.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails under load; one that will write says so at once.
    if connection.get_execution_options().get("tuneport_reading", False):
        connection.exec_driver_sql("BEGIN")
        return
    database = connection.engine.url.database
    if database and "place" not in connection.info:
        connection.info["place"] = Place(Path(database))
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _leave_line(_connection: Any, record: ConnectionPoolEntry) -> None:
    if place := record.info.pop("place", None):
        place.leave()


@contextmanager
def transaction() -> Iterator[Session]:
    """One action that may write: committed at the end of the block, rolled back when it raises."""
    with Session(engine_for(settings().database_url), expire_on_commit=False) as session:
        yield session
        session.commit()


@contextmanager
def single() -> Iterator[Connection]:
    """One question that may write and is a transaction by itself, for what workers ask all the time.

    On Postgres it is begun and committed where it is answered, so that it costs one way there and back
    instead of three; a second question in the block would be a transaction of its own.
    """
    engine = engine_for(settings().database_url)
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            yield connection
        return
    with engine.connect() as connection:
        driver = _driver(connection)
        driver.autocommit = True
        try:
            yield connection
        finally:
            if not driver.closed:
                driver.autocommit = False


def _driver(connection: Connection) -> psycopg.Connection[tuple[Any, ...]]:
    return connection.connection.driver_connection  # type: ignore[return-value]


def ask_driver(connection: Connection, statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Put a statement of Postgres straight to its driver, within the present transaction; gives the rows.

    For the few that every job passes: SQLAlchemy takes ten times as long to hand one over as its driver.

    Raises:
        DBAPIError: as from SQLAlchemy itself.
    """
    driver = _driver(connection)
    try:
        answer = driver.execute(statement, values)
        return answer.fetchall() if answer.description else []
    except psycopg.Error as error:
        if driver.closed:
            connection.invalidate(error)
        raise DBAPIError.instance(
            statement, dict(values), error, psycopg.Error, connection_invalidated=driver.closed
        ) from error


def insert(session: Session, row: SQLModel) -> None:
    """Write a new row as it stands, at once; the session has it from then on as if it had loaded it.

    For rows that make their own ids. A flush looks for what depends on what, and takes three times as long.
    """
    session.flush()
    connection = session.connection()
    table: Table = row.__table__  # type: ignore[attr-defined]
    values = {column.name: getattr(row, column.name) for column in table.columns}
    if connection.dialect.name == "sqlite":
        connection.execute(table.insert(), values)
    else:
        statement, processors = _insertion(table, connection.dialect)
        for name, process in processors.items():
            values[name] = process(values[name])
        ask_driver(connection, statement, values)
    make_transient_to_detached(row)
    session.add(row)


@cache
def _insertion(table: Table, dialect: Dialect) -> tuple[str, Mapping[str, Callable[[Any], Any]]]:
    """The statement, and what the driver needs done to values before."""
    names = [column.name for column in table.columns]
    columns = ", ".join(f'"{name}"' for name in names)
    places = ", ".join(f"%({name})s" for name in names)
    processors = {
        column.name: process
        for column in table.columns
        if (process := column.type.dialect_impl(dialect).bind_processor(dialect))
    }
    return f"INSERT INTO {table.name} ({columns}) VALUES ({places})", processors  # noqa: S608


@contextmanager
def reading() -> Iterator[Session]:
    """Questions only: never waits for a writer on SQLite, refuses to write on Postgres."""
    options = {"tuneport_reading": True, "postgresql_readonly": True}
    engine = engine_for(settings().database_url).execution_options(**options)
    with Session(engine, expire_on_commit=False, autoflush=False) as session:
        yield session


def now(session: Session) -> datetime:
    """The database's present instant, so that workers with wrong clocks agree about leases.

    On SQLite all processes share one host, whose clock it is.
    """
    if session.get_bind().dialect.name == "sqlite":
        return clock.now()
    instant: datetime = session.exec(select(func.clock_timestamp())).one()
    return instant.astimezone(UTC) + clock.offset()
