"""What can be asked of the process that reads a file; arguments and results are plain JSON."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from services.datasets.detection import KNOWN, guess
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


def _preview(content: bytes, _: Path, form: dict[str, Any], seed: int) -> bytes:
    return PREVIEW.dump_json(preview_of(read(content, Format.model_validate(form)), seed=seed))


def _freeze(content: bytes, folder: Path, form: dict[str, Any], seed: int) -> bytes:
    return FROZEN.dump_json(freeze_into(folder, content, Format.model_validate(form), seed=seed))


STEPS: dict[str, Callable[..., bytes]] = {
    "guess": _guess,
    "inspect": _inspect,
    "preview": _preview,
    "freeze": _freeze,
}
