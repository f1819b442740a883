"""What can be asked of the process that reads a file; arguments and results are plain JSON."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.datasets.detection import KNOWN, guess
from services.datasets.examination import EXAMINATION, FIXES, ROWS, examination_of, rows_of
from services.datasets.findings.of_file import examine_into
from services.datasets.formats import Format
from services.datasets.freezing import FROZEN, freeze_into
from services.datasets.preview import GUESS, INSPECTED, PREVIEW, preview_of
from services.datasets.reading import read


def _guess(content: bytes, _: Path, known: dict[str, Any]) -> bytes:
    return GUESS.dump_json(guess(content, **KNOWN.validate_python(known)))


def _inspect(content: bytes, _: Path, known: dict[str, Any], seed: int) -> bytes:
    found = guess(content, **KNOWN.validate_python(known))
    seen = preview_of(read(content, found.form), seed=seed)
    return INSPECTED.dump_json((found, seen))


def _check(content: bytes, folder: Path, known: dict[str, Any]) -> bytes:
    examine_into(folder, content, KNOWN.validate_python(known))
    return b"null"


def _preview(content: bytes, _: Path, form: dict[str, Any], seed: int) -> bytes:
    return PREVIEW.dump_json(preview_of(read(content, Format.model_validate(form)), seed=seed))


def _examine(content: bytes, _: Path, form: dict[str, Any], fixes: list[dict[str, Any]], seed: int) -> bytes:
    reading = read(content, Format.model_validate(form))
    return EXAMINATION.dump_json(examination_of(reading, FIXES.validate_python(fixes), seed=seed))


def _find_rows(
    content: bytes,
    _: Path,
    form: dict[str, Any],
    fixes: list[dict[str, Any]],
    numbers: list[int],
    words: str,
) -> bytes:
    reading = read(content, Format.model_validate(form))
    return ROWS.dump_json(rows_of(reading, FIXES.validate_python(fixes), numbers=numbers, words=words))


def _freeze(
    content: bytes,
    folder: Path,
    form: dict[str, Any],
    seed: int,
    fixes: list[dict[str, Any]],
    test: list[str],
    base_model: str | None,
) -> bytes:
    frozen = freeze_into(
        folder,
        content,
        Format.model_validate(form),
        seed=seed,
        fixes=FIXES.validate_python(fixes),
        test=test,
        base_model=Path(base_model) if base_model else None,
    )
    return FROZEN.dump_json(frozen)


STEPS: dict[str, Callable[..., bytes]] = {
    "guess": _guess,
    "inspect": _inspect,
    "check": _check,
    "preview": _preview,
    "examine": _examine,
    "find_rows": _find_rows,
    "freeze": _freeze,
}
