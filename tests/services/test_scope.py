"""Every query on a tenant's table begins at `accounts.scope.owned`: read from the source itself."""

import ast
import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import services
from services.accounts.scope import TenantOwned

ROOT = Path(__file__).parents[2]
STATEMENTS = {"select", "update", "delete", "insert", "exists", "aliased", "query", "get", "get_one"}
# Who may name a tenant's table in a statement of its own, and which statements.
ALLOWED = {
    "services/accounts/scope.py": STATEMENTS,
    "services/jobs/history.py": {"select"},  # the staff's questions
    "services/jobs/operate.py": {"update"},  # the staff's deeds
    "services/jobs/outlook.py": {"select"},  # one queue for all: what runs and waits before a tenant's jobs
    "services/jobs/queue.py": STATEMENTS,  # the worker's half, for all tenants
    "services/jobs/retention.py": {"select", "delete"},  # what is old goes, whosever it is
    "services/reports.py": STATEMENTS,  # the staff's questions
    "services/metering/recording.py": {"insert"},  # many rows in one statement, each with its tenant
    "services/metering/rollups.py": STATEMENTS,  # the worker's: a tenant's events and hours, by its id
}
# Who may ask across tenants: arriving people and keys, the worker, the staff's questions.
ACROSS = {
    "services/accounts/scope.py",
    "services/accounts/service.py",
    "services/accounts/keys.py",
    "services/billing/closers.py",  # the worker and the staff close months of many workspaces
    "services/billing/online/webhook.py",  # a provider names a payment, and not whose it is
    "services/datasets/retention.py",
    "services/datasets/uncounted.py",
    "services/gauges.py",
    "services/jobs/history.py",
    "services/jobs/operate.py",
    "services/jobs/outlook.py",
    "services/jobs/queue.py",
    "services/jobs/retention.py",
    "services/jobs/watch.py",
    "services/ledger/sealing.py",
    "services/metering/recording.py",
    "services/reports.py",
}
# Who may write SQL itself: what every job passes on its way through the queue, and one whole row at a time.
BY_HAND = {
    "services/db.py",
    "services/jobs/claims.py",
    "services/jobs/statements.py",
    "services/jobs/submitting.py",
    "services/metering/recording.py",
}


def tenant_tables() -> set[str]:
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if module.name.endswith(".tables"):
            import_module(module.name)
    return {table.__name__ for table in TenantOwned.__subclasses__()}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for package in ("services", "portal"):
        for file in sorted((ROOT / package).rglob("*.py")):
            name = file.relative_to(ROOT).as_posix()
            if "/migrations/versions/" not in name:
                yield name, ast.parse(file.read_text(encoding="utf-8"))


def called(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def named(node: ast.AST) -> set[str]:
    return {getattr(part, "id", getattr(part, "attr", "")) for part in ast.walk(node)}


def statements_on_tenant_tables(tree: ast.Module, tables: set[str]) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or called(node) not in STATEMENTS:
            continue
        # A statement around `owned(…)` is in order; one on a bare table is not.
        if any(named(argument) & tables and not scoped(argument) for argument in node.args):
            yield called(node), node.lineno


def scoped(node: ast.AST) -> bool:
    return any(isinstance(part, ast.Call) and called(part) in {"owned", "across"} for part in ast.walk(node))


def renamed_tables(tree: ast.Module, tables: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names if alias.name in tables and alias.asname)


def violations(name: str, tree: ast.Module, tables: set[str]) -> list[str]:
    allowed = ALLOWED.get(name, set())
    found = [
        f"{name}:{line} {statement}(…) on a tenant's table"
        for statement, line in statements_on_tenant_tables(tree, tables)
        if statement not in allowed
    ]
    found += [f"{name} hides {table} behind another name" for table in renamed_tables(tree, tables)]
    if name not in ACROSS and "across" in {*named(tree), *imported(tree)}:
        found.append(f"{name} asks across tenants")
    by_hand = "text" in imported(tree, "sqlalchemy", "sqlmodel") or any(
        isinstance(node, ast.Call) and called(node) == "ask_driver" for node in ast.walk(tree)
    )
    if by_hand and name not in BY_HAND:
        found.append(f"{name} writes SQL by hand")
    return found


def imported(tree: ast.Module, *modules: str) -> set[str]:
    return {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (not modules or node.module in modules)
        for alias in node.names
    }


def test_there_are_tables_to_watch() -> None:
    assert {"Job", "Upload", "DatasetVersion", "Model", "UsageEvent", "Invoice", "ApiKey"} <= tenant_tables()


def test_every_query_on_a_tenants_table_begins_at_its_owner() -> None:
    tables = tenant_tables()

    found = [line for name, tree in sources() for line in violations(name, tree, tables)]

    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "session.exec(select(Job).where(Job.id == job_id))",
        "session.exec(select(Job.id, Job.state))",
        "session.exec(select(func.count(col(Job.id))))",
        "session.exec(select(tables.Job))",
        "session.exec(update(Job).values(state='failed'))",
        "session.exec(delete(Job))",
        "session.exec(insert(Job).values(rows))",
        "session.get(Job, job_id)",
        "session.get_one(Job, job_id)",
        "session.query(Job)",
        "aliased(Job)",
        "session.exec(across(Job))",
        "from services.jobs.tables import Job as Work",
        "from services.accounts.scope import across as everything",
        "from sqlalchemy import text",
    ],
)
def test_the_watch_notices(source: str) -> None:
    assert violations("services/jobs/service.py", ast.parse(source), tenant_tables())


@pytest.mark.parametrize(
    "source",
    [
        "session.exec(owned(Job, member).where(Job.id == job_id))",
        "session.exec(select(func.count()).select_from(owned(Job, member).subquery()))",
        "session.exec(select(Tenant).where(Tenant.id == member.tenant_id))",
        "session.get(User, user_id)",
        "cache.get(name)",
    ],
)
def test_the_watch_lets_pass(source: str) -> None:
    assert violations("services/jobs/service.py", ast.parse(source), tenant_tables()) == []
