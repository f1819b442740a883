"""Promise 12: nobody sees "database is locked", however many write to SQLite at once."""

import ast
import time
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.exc import OperationalError

from services.accounts.scope import Member
from services.accounts.tables import Tenant
from services.db import reading, transaction
from services.jobs import queue
from services.jobs import service as jobs
from services.training.process.events import EventKind, Phase, RunEvent
from tests import factories
from tests.faults.conftest import SECONDS
from tests.faults.crew import nobody_writes, together

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 8
CUSTOMERS = 16
TOLD = [(0, RunEvent(kind=EventKind.progress, phase=Phase.training, step=1, steps=2))]
WRITING = {"add", "add_all", "commit", "delete", "execute", "flush", "insert", "merge", "update"}


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_eight_workers_and_sixteen_customers_never_find_the_database_locked(live_database: str) -> None:
    with transaction() as session:
        members = [factories.create_member(session) for _ in range(4)]
        for member in members:
            tenant = session.get_one(Tenant, member.tenant_id)
            tenant.running_job_limit = tenant.open_job_limit = 100_000
            session.add(tenant)
        versions = [factories.create_version(session, member).id for member in members]
        worker_id = factories.next_worker(session)
    locked: list[str] = []
    until = time.monotonic() + SECONDS

    def work() -> None:
        while time.monotonic() < until:
            with transaction() as session:
                claimed = factories.claim(session, worker_id=worker_id)
            if claimed is not None:
                with transaction() as session:
                    queue.report(session, claimed, TOLD)
                with transaction() as session:
                    queue.finish(session, claimed, model_version_id="mv", charged=0)

    def be_customer(member: Member, version: str) -> None:
        while time.monotonic() < until:
            with transaction() as session:
                factories.create_job(
                    session, member, key=uuid4().hex, dataset_version_id=version, model_name="model"
                )
            with reading() as session:
                jobs.recent(session, member)

    def tell(act, *arguments: object) -> None:
        try:
            act(*arguments)
        except OperationalError as error:
            locked.append(str(error))

    workers = [lambda: tell(work)] * WORKERS
    customers = [
        lambda number=number: tell(be_customer, members[number % 4], versions[number % 4])
        for number in range(CUSTOMERS)
    ]
    together(*workers, *customers)

    assert locked == []


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
def test_who_may_write_is_the_only_writer_from_the_beginning(live_database: str) -> None:
    """The line keeps ours in order; a backup or a shell does not stand in it."""
    assert nobody_writes()

    with transaction() as session:
        session.connection()

        assert not nobody_writes()


def sources() -> list[Path]:
    return [*ROOT.glob("services/**/*.py"), *ROOT.glob("portal/**/*.py")]


def test_transactions_are_begun_in_one_place() -> None:
    """A transaction that reads first and writes later is what SQLite refuses under load."""
    begun = [
        source.relative_to(ROOT).as_posix()
        for source in sources()
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("BEGIN")
    ]

    assert set(begun) <= {"services/db.py", "services/migrations/versions/0002_a_queue_that_can_be_proved.py"}


def test_who_says_to_read_writes_nothing() -> None:
    written = [
        f"{source.relative_to(ROOT)}:{call.lineno}"
        for source in sources()
        for block in ast.walk(ast.parse(source.read_text()))
        if isinstance(block, ast.With) and any(_is_call(item.context_expr, "reading") for item in block.items)
        for call in ast.walk(block)
        if _writes(call)
    ]

    assert written == []


def _is_call(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _writes(node: ast.AST) -> bool:
    """A method of a session that writes, or a statement that does."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"session", "db"}
        and node.func.attr in WRITING
    ) or any(_is_call(node, name) for name in ("insert", "update", "delete"))
