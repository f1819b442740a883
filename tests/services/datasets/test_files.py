import csv
import io
from pathlib import Path

import pytest

from services import storage
from services.accounts.scope import Member, Role, RoleMissing
from services.config import settings
from services.datasets import files
from services.datasets.errors import BinaryFile, EmptyFile, OneClass
from services.datasets.examples import from_line
from services.datasets.split import Split
from services.datasets.tables import DatasetVersion, Upload
from services.errors import NotFound
from tests.services.datasets.factories import csv_form, support_csv

OWNER = Member(tenant_id="ten_1", role=Role.owner, user_id="usr_1")


def stored(content: bytes = b"", **changes: str) -> Upload:
    arguments = {"filename": "support.csv", "content": content or support_csv()} | changes
    with files.store(OWNER, **arguments) as upload:
        return upload


def frozen(content: bytes = b"") -> DatasetVersion:
    with files.freeze(OWNER, stored(content), form=csv_form(), seed=42) as version:
        return version


def objects() -> list[str]:
    root = Path(settings().storage_url.removeprefix("file://"))
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def test_an_upload_is_kept_as_it_came_under_a_key_of_ours() -> None:
    upload = stored(filename="C:\\Users\\me\\../../etc/sup\x00port.csv")

    assert files.read_upload(upload) == support_csv()
    assert (upload.filename, upload.bytes) == ("sup\ufffdport.csv", len(support_csv()))
    assert upload.storage_key == f"ten_1/uploads/{upload.id}/content"
    assert (upload.tenant_id, upload.created_by, upload.purpose) == ("ten_1", "usr_1", "fine-tune")


@pytest.mark.parametrize(("content", "refusal"), [(b" ", EmptyFile), (b"\x00\x01\x02", BinaryFile)])
def test_an_upload_that_is_no_text_leaves_nothing(content: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal), files.store(OWNER, filename="x", content=content):
        pass

    assert objects() == []


def test_an_upload_that_is_not_recorded_leaves_nothing() -> None:
    with pytest.raises(RuntimeError), files.store(OWNER, filename="x", content=support_csv()):
        raise RuntimeError("the transaction failed")

    assert objects() == []


def test_viewers_neither_upload_nor_freeze() -> None:
    viewer = Member(tenant_id="ten_1", role=Role.viewer)

    with pytest.raises(RoleMissing), files.store(viewer, filename="x", content=support_csv()):
        pass
    with pytest.raises(RoleMissing), files.freeze(viewer, stored(), form=csv_form(), seed=1):
        pass


def test_a_frozen_version_says_what_it_holds() -> None:
    version = frozen(support_csv(rows=30) + b",order\nhello,\nbye,\n")

    assert version.storage_prefix == f"ten_1/datasets/{version.id}"
    assert sorted(version.manifest) == ["rejected.csv", "test.jsonl", "train.jsonl", "validation.jsonl"]
    assert (version.rows_in, version.rows_used, version.dropped) == (
        33,
        30,
        {"missing_label": 2, "empty_text": 1},
    )
    assert version.splits == {"train": 22, "validation": 4, "test": 4}
    assert version.labels["order"] == {"train": 11, "validation": 2, "test": 2}
    assert (version.task, version.seed, version.train_only_labels) == ("text-classification", 42, [])
    assert version.format == csv_form().model_dump(mode="json")
    assert version.characters == sum(len(f"message number {number}") for number in range(30))


def test_a_frozen_version_knows_how_long_its_rows_are_to_the_default_base_model() -> None:
    version = frozen(support_csv(rows=30))

    # "message", "number", the number itself, and a mark at either end.
    assert version.tokens is not None
    assert version.tokens["train"] == {"rows": {"stretches": {"5": [22, 110]}}, "texts": None}
    assert sum(part["rows"]["stretches"]["5"][0] for part in version.tokens.values()) == 30
    assert files.counted(version) == version.tokens


def test_the_same_file_and_seed_make_the_same_version() -> None:
    first, second = frozen(), frozen()

    assert first.id != second.id
    assert (first.content_hash, first.manifest) == (second.content_hash, second.manifest)


def test_a_file_that_cannot_be_used_leaves_no_version() -> None:
    upload = stored(b"text,label\na,x\nb,x\n")

    with pytest.raises(OneClass), files.freeze(OWNER, upload, form=csv_form(), seed=1):
        pass

    assert objects() == [upload.storage_key]


def test_a_version_that_is_not_recorded_leaves_nothing() -> None:
    upload = stored()

    with (
        pytest.raises(RuntimeError, match="with 5 files"),
        files.freeze(OWNER, upload, form=csv_form(), seed=1),
    ):
        raise RuntimeError(f"the transaction failed, with {len(objects())} files in the store")

    assert objects() == [upload.storage_key]


def test_a_deleted_upload_cannot_be_frozen() -> None:
    upload = stored()
    storage.delete(upload.storage_key)

    with pytest.raises(NotFound), files.freeze(OWNER, upload, form=csv_form(), seed=1):
        pass


def test_rows_are_paged_in_the_files_order() -> None:
    version = frozen()

    first = files.rows(version, split=Split.train, offset=0, limit=10)
    rest = files.rows(version, split=Split.train, offset=10, limit=100)

    assert (len(first.rows), len(rest.rows), first.total, rest.total) == (10, 12, 22, 22)
    numbers = [example.row for example in first.rows + rest.rows]
    assert numbers == sorted(numbers)


def test_rows_of_one_label_are_counted_alone() -> None:
    page = files.rows(frozen(), split=Split.train, offset=0, limit=5, label="refund")

    assert (len(page.rows), page.total) == (5, 11)
    assert {example.labels for example in page.rows} == {("refund",)}


def test_rejected_rows_are_given_back() -> None:
    version = frozen(support_csv() + b"=1+1,\n")

    (_, row) = csv.reader(io.StringIO(files.rejected(version).decode("utf-8-sig"), newline=""))
    assert row == ["32", "missing_label", "The label is missing.", "'=1+1", ""]


def test_a_run_gets_the_three_splits_and_nothing_else(tmp_path: Path) -> None:
    version = frozen()

    files.materialise(version, tmp_path / "data")

    assert sorted(file.name for file in (tmp_path / "data").iterdir()) == [
        "test.jsonl",
        "train.jsonl",
        "validation.jsonl",
    ]
    lines = (tmp_path / "data" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    assert tuple(map(from_line, lines)) == files.rows(version, split=Split.test, offset=0, limit=100).rows


def test_a_changed_file_is_never_read_as_the_version(tmp_path: Path) -> None:
    version = frozen()
    storage.put(f"{version.storage_prefix}/train.jsonl", b'{"label":"x","row":1,"text":"y"}\n')

    with pytest.raises(ValueError, match="not what its manifest says"):
        files.rows(version, split=Split.train, offset=0, limit=1)
    with pytest.raises(ValueError, match="not what its manifest says"):
        files.materialise(version, tmp_path / "data")
    assert not (tmp_path / "data").exists()
