"""A file for each split: kept as given, numbered through, and each read as it is written."""

import gzip
from collections.abc import Mapping
from pathlib import Path

import pytest

from services.datasets.detection import detect
from services.datasets.errors import FilesDiffer, SeveralFiles
from services.datasets.formats import Packing
from services.datasets.notes import NoteCode
from services.datasets.packing import pack_splits, packing_of, split_of_filename
from services.datasets.preview import inspect
from services.datasets.reading import Reading, read
from services.datasets.split import Split
from services.datasets.splits import split
from tests.services.datasets.workbooks import workbook, zip_of

WORDS = ["apple", "river", "stone", "cloud", "winter", "garden", "copper", "violin", "marble", "candle"]


def table(first: int, count: int, delimiter: str = ",", header: str = "text,label\n") -> str:
    rows = [
        f"{WORDS[at % 10]} {WORDS[(at * 7 + at // 10) % 10]} {at}{delimiter}{'ab'[at % 2]}\n"
        for at in range(first, first + count)
    ]
    return header.replace(",", delimiter) + "".join(rows)


def read_together(**files: bytes) -> Reading:
    content = zip_of(**files)
    return read(content, detect(content))


def sentence(reading: Reading, code: NoteCode) -> str:
    return next(note.sentence for note in reading.notes if note.code is code)


def test_each_file_is_the_split_that_its_name_says() -> None:
    reading = read_together(
        **{
            "my-train.csv": table(0, 30).encode(),
            "my-dev.csv": table(30, 6).encode(),
            "my-test.csv": table(36, 8).encode(),
        }
    )

    splits = split(reading.examples, seed=1, given=reading.given)

    assert splits.rows == {"train": 30, "validation": 6, "test": 8}
    assert [example.text for example in splits.test] == [
        line.split(",")[0] for line in table(36, 8).splitlines()[1:]
    ]
    assert reading.rows_in == 44


def test_rows_are_numbered_through_and_where_each_file_begins_is_told() -> None:
    reading = read_together(**{"train.csv": table(0, 30).encode(), "test.csv": table(30, 6).encode()})

    assert [example.row for example in reading.examples] == [*range(2, 32), *range(33, 39)]
    assert "“train.csv” (train) from 1 on, “test.csv” (test) from 32 on" in sentence(
        reading, NoteCode.several_files
    )


def test_what_is_not_given_is_divided_off_train() -> None:
    reading = read_together(**{"train.csv": table(0, 40).encode(), "test.csv": table(40, 6).encode()})

    rows = split(reading.examples, seed=1, given=reading.given).rows

    assert rows["test"] == 6
    assert rows["validation"] > 0
    assert sum(rows.values()) == 46


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (table(30, 6, delimiter=";").encode(), "separator “;”"),
        (table(30, 6).encode("utf-16"), "encoding “utf-16-le”"),
        (table(30, 6, header="").encode(), "header none"),
        (gzip.compress(table(30, 6).encode()), ""),
        (b'{"text": "one more", "label": "a"}\n{"text": "and more", "label": "b"}\n', "kind “jsonl”"),
    ],
    ids=["delimiter", "encoding", "no header", "gzipped", "another kind"],
)
def test_files_need_not_be_written_alike(other: bytes, told: str) -> None:
    reading = read_together(**{"train.csv": table(0, 30).encode(), "test": other})

    assert reading.dropped == ()
    assert {reading.given[example.row] for example in reading.examples} == {Split.train, Split.test}
    assert told in sentence(reading, NoteCode.files_written_otherwise) if told else (len(reading.notes) == 1)


def test_other_columns_are_refused_and_named() -> None:
    content = zip_of(
        **{
            "train.csv": table(0, 30).encode(),
            "test.csv": table(30, 6, header="sentence,intent\n").encode(),
        }
    )

    with pytest.raises(FilesDiffer, match=r"“test.csv” has no column “text”.*“sentence”, “intent”"):
        read(content, detect(content))


def test_a_correction_holds_for_every_file_of_which_the_same_was_guessed() -> None:
    content = zip_of(
        **{"train.csv": table(0, 30, header="").encode(), "test.csv": table(30, 6, header="").encode()}
    )
    guessed = detect(content)

    as_header = read(content, detect(content, has_header=False))

    assert guessed.packing is Packing.splits
    assert as_header.rows_in == 36


def test_leakage_between_the_files_is_found() -> None:
    leaking = table(0, 30) + table(30, 4, header="")
    _, seen = inspect(zip_of(**{"train.csv": leaking.encode(), "test.csv": table(30, 4).encode()}))

    assert seen.splits["test"] == 4


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("train.csv", Split.train),
        ("banking77-test.parquet", Split.test),
        ("data/dev.jsonl.gz", Split.validation),
        ("test/train.csv", Split.test),
        ("train-and-test.csv", None),
        ("latest.csv", None),
    ],
)
def test_a_name_says_what_a_file_is_for(name: str, meant: Split | None) -> None:
    assert split_of_filename(name) is meant


def test_several_files_of_no_split_are_refused_as_before() -> None:
    with pytest.raises(SeveralFiles):
        detect(zip_of(**{"a.csv": table(0, 9).encode(), "b.csv": table(9, 9).encode()}))
    with pytest.raises(SeveralFiles):
        detect(zip_of(**{"train1.csv": table(0, 9).encode(), "train2.csv": table(9, 9).encode()}))


def test_packed_files_are_found_again_even_workbooks(tmp_path: Path) -> None:
    files: Mapping[Split, tuple[str, bytes]] = {
        Split.train: ("messages.xlsx", workbook(Data="<row><c t='str'><v>x</v></c></row>")),
        Split.test: ("held out.csv", table(0, 9).encode()),
    }
    for which, (_, content) in files.items():
        (tmp_path / which).write_bytes(content)

    pack_splits(tmp_path / "zip", {which: (name, tmp_path / which) for which, (name, _) in files.items()})

    assert packing_of((tmp_path / "zip").read_bytes()) is Packing.splits
