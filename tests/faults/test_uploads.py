"""Files that mean harm: each is refused in words or read to the last row, and the portal does not feel it."""

import gzip
import io
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from time import sleep

import pyarrow
import pyarrow.parquet
import pytest

from services.datasets import sandbox
from services.datasets.errors import ReadingCrashed, ReadingTooBig, ReadingTooLong
from services.datasets.limits import MAX_BYTES
from services.datasets.preview import inspect
from services.datasets.sandbox import allowance_for, apart
from services.errors import ServiceError
from tests.services.datasets.workbooks import cell, rows_of, workbook, zip_of

_MB = 2**20
# What is said of a file that was read, but is too small to learn from.
READ = {"none", "one_class", "too_few_rows", "no_usable_rows", "no_entities"}
GROWTH = 64 * _MB


def resident() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def gzip_bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = b"0" * _MB
    return b"".join(packer.compress(zeros) for _ in range(MAX_BYTES // _MB + 1)) + packer.flush()


def zip_bomb(*, lying: bool) -> bytes:
    target = io.BytesIO()
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("data.csv", "w", force_zip64=True) as file,
    ):
        for _ in range(MAX_BYTES // _MB + 1):
            file.write(b"0" * _MB)
    content = target.getvalue()
    true_size = struct.pack("<I", MAX_BYTES + _MB)
    return content.replace(true_size, struct.pack("<I", 100)) if lying else content


def encrypted_zip() -> bytes:
    content = bytearray(zip_of(data=b"text,label\n"))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def workbook_bomb() -> bytes:
    content = bytearray(workbook(a=rows_of([["text"]])))
    # The size of the last part, as the directory has it.
    size = content.rindex(b"PK\x01\x02") + 24
    content[size : size + 4] = struct.pack("<I", 2**31)
    return bytes(content)


def workbook_with_a_far_corner() -> bytes:
    far = f'<row r="1048576">{cell("XFD1048576", "x")}</row>'
    return workbook(a=rows_of([["text", "label"]]) + far)


def parquet(columns: dict[str, list[object]]) -> bytes:
    target = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), target)
    return target.getvalue()


def parquet_with(*, footer: Callable[[bytes], bytes]) -> bytes:
    whole = parquet({"text": ["a", "b"] * 50, "label": ["x", "y"] * 50})
    size = int.from_bytes(whole[-8:-4], "little")
    return whole[: -8 - size] + footer(whole[-8 - size : -8]) + whole[-8:]


def parquet_that_unpacks() -> bytes:
    return parquet({"text": ["0" * _MB] * (MAX_BYTES // _MB + 1), "label": ["x"] * (MAX_BYTES // _MB + 1)})


GOOD = b'{"text": "a", "label": "x"}\n' * 3
CORPUS: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "gzip bomb": (gzip_bomb, {"unpacks_too_large"}),
    "gzip cut short": (lambda: gzip.compress(GOOD * 99)[:-20], {"damaged_file"}),
    "gzip in gzip": (lambda: gzip.compress(gzip.compress(GOOD)), {"unsupported_format"}),
    "zip bomb": (lambda: zip_bomb(lying=False), {"unpacks_too_large"}),
    "zip bomb that lies": (lambda: zip_bomb(lying=True), {"unpacks_too_large", "damaged_file"}),
    "zip of two": (lambda: zip_of(a=GOOD, b=GOOD), {"several_files"}),
    "zip of none": (zip_of, {"several_files"}),
    "zip in zip": (lambda: zip_of(a=zip_of(b=GOOD)), {"unsupported_format"}),
    "zip with a password": (encrypted_zip, {"encrypted_file"}),
    "zip without an end": (lambda: zip_of(a=GOOD)[:40], {"damaged_file"}),
    "workbook bomb": (workbook_bomb, {"unpacks_too_large"}),
    "workbook with a far corner": (workbook_with_a_far_corner, {"reading_too_big", "too_many_columns"}),
    "workbook of nothing": (lambda: workbook(a=""), {"empty_file"}),
    "workbook of garbage": (lambda: workbook(a="<row>" * 1_000), {"damaged_file", "empty_file"}),
    "parquet cut short": (lambda: parquet({"text": ["a"]})[:-30], {"damaged_file"}),
    "parquet with an empty footer": (
        lambda: parquet_with(footer=lambda old: b"\0" * len(old)),
        {"damaged_file"},
    ),
    "parquet with a footer of ones": (
        lambda: parquet_with(footer=lambda old: b"\xff" * len(old)),
        {"damaged_file"},
    ),
    "parquet with a lying footer": (lambda: b"PAR1" + b"\x7f" * 60 + b"PAR1", {"damaged_file"}),
    "parquet that unpacks": (parquet_that_unpacks, {"reading_too_long", "reading_too_big", "no_usable_rows"}),
    "parquet of 10,000 columns": (
        lambda: parquet({f"c{number}": [1] for number in range(10_000)}),
        {"too_many_columns"},
    ),
    "table of 10,000 columns": (lambda: b",".join([b"x"] * 10_000) + b"\n", {"too_many_columns"}),
    "object of 10,000 fields": (
        lambda: json.dumps({f"c{number}": "x" for number in range(10_000)}).encode(),
        {"too_many_columns"},
    ),
    "deep list": (lambda: b"[" * 200_000, {"unsupported_format", "one_column"}),
    "deep object": (lambda: b'{"a":' * 200_000, {"unsupported_format"}),
    "deep value": (lambda: GOOD + b'{"text":' * 100_000 + b"\n" + GOOD, set()),
    "numbers that are none": (lambda: GOOD + b'{"text": "a", "label": NaN}\n', set()),
    "a huge number": (lambda: GOOD + b'{"text": "a", "label": ' + b"9" * 100_000 + b"}\n", set()),
    "repeated keys": (lambda: GOOD + b'{"text": "a", "label": "x", "label": "y"}\n', set()),
    "JSON that breaks off": (lambda: b"[" + GOOD.replace(b"\n", b",\n"), {"broken_json"}),
    "NUL bytes": (lambda: b"text,label\na\x00b,x\n" * 10, {"binary_file"}),
    "NUL in a string": (lambda: GOOD + b'{"text": "a\\u0000", "label": "x"}\n', set()),
    "mixed encodings": (
        lambda: "größe,ja\n".encode() * 50 + "größe,ja\n".encode("latin-1") + b"\xff\xfe\n",
        set(),
    ),
    "half of UTF-16": (lambda: "text,label\na,x\n".encode("utf-16")[:-1], {"too_few_rows", "no_usable_rows"}),
    "stray quotes": (lambda: b"text,label\n" + b'x","y\n' * 200_000, {"one_class"}),
    "nothing but quotes": (lambda: b'"' * 3_000_000, {"one_column"}),
    "one endless cell": (lambda: b"text,label\n" + b"x" * 5_000_000 + b",y\n", set()),
    "a list of a million": (lambda: b'text,label\na,"[' + b"1," * 1_000_000 + b']"\n', set()),
    "a hundred thousand entities": (
        lambda: json.dumps({"text": "a " * 9_000, "label": [[0, 1, "x"]] * 100_000}).encode() + b"\n" + GOOD,
        set(),
    ),
    "a hundred thousand turns": (
        lambda: json.dumps({"messages": [{"role": "user", "content": "a"}] * 100_000}).encode(),
        set(),
    ),
}


@pytest.mark.parametrize("name", CORPUS)
def test_a_hostile_file_is_refused_or_read_to_its_last_row(name: str) -> None:
    make, codes = CORPUS[name]
    content = make()
    # What the process is given: it is ended after so many seconds, whatever it does.
    assert allowance_for(64 * 1024, content[:8]).seconds <= 10
    before = resident()

    problem = problem_of(content)

    assert (problem.code if problem else "none") in (codes or READ)
    assert problem is None or problem.message.endswith(".")
    assert resident() - before < GROWTH


def problem_of(content: bytes) -> ServiceError | None:
    """Why a file cannot be used; where it can be read, its rows add up."""
    try:
        _, seen = inspect(content)
    except ServiceError as refusal:
        return refusal
    assert seen.rows_in == seen.rows_used + sum(group.count for group in seen.dropped)
    return seen.problem


@pytest.fixture
def seized(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader does what the file says."""
    monkeypatch.setattr(sandbox, "_MODULE", "tests.faults.bad_reader")


@pytest.mark.parametrize(
    ("deed", "refusal"),
    [
        ("segfault", ReadingCrashed),
        ("abort", ReadingCrashed),
        ("silence", ReadingCrashed),
        ("connect", ReadingCrashed),
        ("spawn", ReadingCrashed),
        ("hog", ReadingTooBig),
        ("fill", ReadingTooBig),
    ],
)
@pytest.mark.usefixtures("seized")
def test_a_reader_that_falls_over_is_a_refusal(deed: str, refusal: type[ServiceError]) -> None:
    with pytest.raises(refusal), apart("preview", deed.encode()):
        pass


@pytest.mark.usefixtures("seized")
def test_a_fault_of_ours_is_logged_without_the_customers_words(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ReadingCrashed), apart("preview", b"quote"):
        pass

    assert "at=ValueError < File" in caplog.text
    assert "bad_reader.py" in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.usefixtures("seized")
def test_a_reader_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_LEAST", sandbox._LEAST._replace(seconds=2))

    with pytest.raises(ReadingTooLong), apart("preview", b"hang"):
        pass


def said(deed: str) -> str:
    with apart("preview", deed.encode()) as (result, _):
        return result


@pytest.mark.usefixtures("seized")
def test_a_reader_knows_nothing_of_us(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEPORT_SECRET", "canary")

    names = said("environment").split()

    assert not [name for name in names if "TUNEPORT" in name or ("PATH" in name and name != "PYTHONPATH")]
    assert said("session") == "True"


@pytest.mark.usefixtures("seized")
@pytest.mark.skipif(os.geteuid() != 0, reason="a network of its own takes root, or user namespaces")
def test_a_reader_is_alone_in_its_network() -> None:
    interfaces = [line.split(":")[0].strip() for line in said("interfaces").splitlines()[2:]]

    assert set(interfaces) <= {"lo"}


def test_a_reader_dies_with_the_portal(tmp_path: Path) -> None:
    script = (
        "from services.datasets import sandbox\n"
        "sandbox._MODULE = 'tests.faults.bad_reader'\n"
        "with sandbox.apart('preview', b'sleep'): pass\n"
    )
    portal = subprocess.Popen([sys.executable, "-c", script], env={**os.environ, "TMPDIR": str(tmp_path)})
    (reader,) = _children_once_there(portal.pid)
    # Once it sleeps, it has bound itself to us.
    _wait_until(lambda: _state(reader) == "S")
    portal.kill()
    portal.wait()

    _wait_until(lambda: _state(reader) in ("Z", "gone"))


def _children_once_there(parent: int) -> list[int]:
    found: list[int] = []

    def look() -> bool:
        found[:] = [int(word) for word in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
        return bool(found) and b"bad_reader" in Path(f"/proc/{found[0]}/cmdline").read_bytes()

    _wait_until(look)
    return found


def _state(process: int) -> str:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "gone"


def _wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(200):
        if holds():
            return
        sleep(0.05)
    raise AssertionError("it never happened")
