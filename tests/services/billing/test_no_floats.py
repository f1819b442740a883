"""No floating point comes near money."""

import ast
from pathlib import Path

import pytest

import services

ROOT = Path(services.__file__).parent
FILES = sorted(path for folder in ("billing", "metering") for path in (ROOT / folder).rglob("*.py"))


def floats(source: str) -> list[int]:
    """Lines that hold a float literal, the word float, or a true division."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float | complex))
        or (isinstance(node, ast.Name) and node.id in {"float", "complex"})
        or (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div))
    ]


def test_there_are_files_to_look_at() -> None:
    assert {path.parent.name for path in FILES} == {"billing", "online", "metering"}
    assert len(FILES) > 10


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_file_about_money_holds_no_float(path: Path) -> None:
    assert floats(path.read_text()) == []


@pytest.mark.parametrize(
    "source", ["x = 0.5", "x = float(y)", "def f(x: float): ...", "x = a / b", "x /= 2", "x = 1e3"]
)
def test_the_search_finds_every_way_to_a_float(source: str) -> None:
    assert floats(source) == [1]
