"""Every refusal of the product, read from its source: nothing is imported, so that nothing is forgotten."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = [file for folder in ("services", "portal") for file in sorted((ROOT / folder).rglob("*.py"))]


@dataclass(frozen=True)
class Refusal:
    """A class of ServiceError's family, with the code and HTTP status that it has or inherits."""

    name: str
    code: str
    status: int


@cache
def refusals() -> list[Refusal]:
    """All of them, ServiceError included."""
    known = defaultdict(list)
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                known[node.name].append((file, node))
    found = []
    for file, node in (place for places in known.values() for place in places):
        family = list(_family(file, node, known))
        if family[-1].name == "ServiceError":
            code, status = (_inherited(family, name) for name in ("code", "status"))
            found.append(Refusal(node.name, str(code), int(str(status))))
    return found


def job_failures() -> set[str]:
    """The codes that the worker gives a job without a class of their own."""
    return {
        keyword.value.value
        for file in SOURCES
        if "worker" in file.parts
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
    }


def _family(
    file: Path, node: ast.ClassDef, known: dict[str, list[tuple[Path, ast.ClassDef]]]
) -> Iterator[ast.ClassDef]:
    """The class, its first known base, and so on; of two of one name, that of the same file is meant."""
    yield node
    for base in node.bases:
        places = known.get(ast.unparse(base).rpartition(".")[2], [])
        if places:
            yield from _family(*min(places, key=lambda place: place[0] != file), known)
            return


def _inherited(family: list[ast.ClassDef], name: str) -> object:
    values = (
        statement.value.value
        for node in family
        for statement in node.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        and isinstance(statement.value, ast.Constant)
        and ast.unparse(statement.targets[0] if isinstance(statement, ast.Assign) else statement.target)
        == name
    )
    return next(values)
