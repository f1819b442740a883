"""What data sets keep in the object store. Nothing here is called inside a transaction.

A file is stored first and becomes visible by the row that names it, which `service` records:

    with files.freeze(member, upload, form=form, seed=42) as version:
        with transaction() as db:
            service.create(db, member, name="Support messages", version=version)

Where the block raises, what was stored is removed again.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any

from services import ids, storage
from services.accounts.scope import Member, Role
from services.config import settings
from services.datasets.differing import Difference, differ
from services.datasets.encodings import detect_encoding, visible
from services.datasets.errors import EmptyFile, FileTooLarge
from services.datasets.examples import Example, TokenExample, from_line
from services.datasets.exporting import to_conll, to_csv, to_jsonl
from services.datasets.fixes import Fix
from services.datasets.formats import Format
from services.datasets.freezing import FROZEN, REJECTED, split_file, tokens_of
from services.datasets.limits import MAX_BYTES
from services.datasets.packing import GZIP, PARQUET, ZIP, pack_splits
from services.datasets.sandbox import apart
from services.datasets.split import Split
from services.datasets.splits import Splits
from services.datasets.tables import DatasetVersion, Upload
from services.errors import NotFound
from services.training.bases import catalogue
from services.training.recipe import Task, default_base_model

_FILENAME_CHARACTERS = 200
# Enough to tell text from something else; the rest is read where it can do no harm.
FIRST_BYTES = 64 * 1024


class ExportKind(StrEnum):
    """What kind of file the rows of a version are given as."""

    csv = "csv"
    jsonl = "jsonl"
    conll = "conll"


@dataclass(frozen=True)
class Page:
    """A stretch of a split's examples, and how many there are in all."""

    rows: tuple[Example, ...]
    total: int


@contextmanager
def store(member: Member, *, filename: str, content: bytes, purpose: str = "fine-tune") -> Iterator[Upload]:
    """A customer's file in the store and its row, not yet recorded: see `service.upload`.

    Raises:
        RoleMissing: the member may not upload.
        FileTooLarge, EmptyFile, BinaryFile, UnsupportedFormat: it is no kind of file that is read.
    """
    member.require(Role.editor)
    look_at(content[:FIRST_BYTES], len(content))
    digest = hashlib.sha256(content).hexdigest()
    row = kept(member, filename=filename, size=len(content), sha256=digest, purpose=purpose)
    with row as upload:
        storage.put(upload.storage_key, content)
        yield upload


@contextmanager
def store_together(member: Member, uploads: Mapping[Split, Upload]) -> Iterator[Upload]:
    """Files that were uploaded, one for each split, as one file of its own: see `packing.pack_splits`.

    Raises:
        RoleMissing: the member may not upload.
        NotFound: one of them was deleted.
        FileTooLarge: together they are.
    """
    member.require(Role.editor)
    size = sum(upload.bytes for upload in uploads.values())
    if size > MAX_BYTES:
        raise FileTooLarge(size)
    with ExitStack() as held, TemporaryDirectory(prefix="tuneport-together-") as folder:
        packed = Path(folder) / "packed.zip"
        pack_splits(
            packed,
            {
                which: (upload.filename, held.enter_context(opened(upload)))
                for which, upload in uploads.items()
            },
        )
        first = uploads[Split.train]
        name = f"{PurePath(first.filename).stem} ({len(uploads)} files).zip"
        row = kept(
            member,
            filename=name,
            size=packed.stat().st_size,
            sha256=storage.sha256(packed),
            purpose=first.purpose,
        )
        with row as made:
            storage.put_file(made.storage_key, packed)
            yield made


@contextmanager
def kept(
    member: Member, *, filename: str, size: int, sha256: str = "", purpose: str = "fine-tune"
) -> Iterator[Upload]:
    """The row of a file that is about to be stored under its key, and is removed where the block raises."""
    upload_id = ids.new("upload")
    key = f"{member.tenant_id}/uploads/{upload_id}/content"
    with _removed_on_failure(key):
        yield Upload(
            id=upload_id,
            tenant_id=member.tenant_id,
            filename=shown_filename(filename),
            purpose=purpose,
            bytes=size,
            sha256=sha256,
            storage_key=key,
            created_by=member.user_id or member.key_id,
        )


def read_upload(upload: Upload) -> bytes:
    """The file as it came.

    Raises:
        NotFound: it was deleted.
    """
    return storage.get(upload.storage_key)


def opened(upload: Upload) -> AbstractContextManager[Path]:
    """The file as it came, to be handed to whatever reads files apart.

    Raises:
        NotFound: it was deleted.
    """
    return storage.opened(upload.storage_key)


@contextmanager
def freeze(
    member: Member,
    upload: Upload,
    *,
    form: Format,
    seed: int,
    fixes: Sequence[Fix] = (),
    after: DatasetVersion | None = None,
) -> Iterator[DatasetVersion]:
    """A file's examples, mended, split and stored, and their row, of no data set yet: see `service.create`.

    As the next version of a data set, its test split is that of the version that it comes `after`.

    Raises:
        RoleMissing: the member may not make data sets.
        NotFound: the file was deleted.
        ServiceError: the file cannot be used, as `freeze_into` says.
    """
    member.require(Role.editor)
    version_id = ids.new("dataset_version")
    prefix = f"{upload.tenant_id}/datasets/{version_id}"
    arguments = {
        "form": form.model_dump(mode="json"),
        "seed": seed,
        "fixes": [fix.model_dump(mode="json") for fix in fixes],
        "test": [example.text for example in _examples(after, Split.test)] if after else [],
        "base_model": None if (found := counts(form.task)) is None else str(found),
    }
    with (
        opened(upload) as content,
        apart("freeze", content, **arguments) as (result, folder),
        _removed_on_failure(prefix),
    ):
        frozen = FROZEN.validate_json(result)
        manifest = storage.put_folder(folder, prefix)
        yield DatasetVersion(
            id=version_id,
            tenant_id=upload.tenant_id,
            dataset_id="",
            upload_id=upload.id,
            task=form.task,
            format=form.model_dump(mode="json"),
            seed=seed,
            storage_prefix=prefix,
            manifest=manifest,
            bytes=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
            created_by=member.user_id or member.key_id,
            **asdict(frozen),
        )


def rows(version: DatasetVersion, *, split: Split, offset: int, limit: int, label: str | None = None) -> Page:
    """Examples of a split in the file's order, from `offset` on; of one label or entity type, if given."""
    examples = _examples(version, split)
    found = [example for example in examples if label is None or label in example.labels]
    return Page(tuple(found[offset : offset + limit]), len(found))


def difference(older: DatasetVersion, newer: DatasetVersion) -> Difference:
    """What changed from one version of a data set to a later one."""
    before, after = ({which: _examples(version, which) for which in Split} for version in (older, newer))
    return differ(before, after)


def exported(version: DatasetVersion, kind: ExportKind) -> bytes:
    """All rows of a version as a file to download: with their split as CSV, else train, validation, test."""
    rows = {which: tuple(_examples(version, which)) for which in Split}
    every = [example for which in Split for example in rows[which]]
    match kind:
        case ExportKind.jsonl:
            return to_jsonl(every)
        case ExportKind.conll:
            return to_conll([example for example in every if isinstance(example, TokenExample)])
    return to_csv(
        Splits(
            train=rows[Split.train],
            validation=rows[Split.validation],
            test=rows[Split.test],
            train_only=tuple(version.train_only_labels),
        )
    )


def rejected(version: DatasetVersion) -> bytes:
    """The dropped rows with their reasons, as CSV to download."""
    return _verified(version, REJECTED)


def counted(version: DatasetVersion) -> dict[str, Any]:
    """The column `tokens` of a version where nobody has counted; empty where its rows are gone or damaged."""
    base_model = counts(Task(version.task))
    try:
        rows = {which: _examples(version, which) for which in Split}
    except (NotFound, ValueError):
        return {}
    return tokens_of(rows, base_model) if base_model else {}


def materialise(version: DatasetVersion, folder: Path) -> None:
    """Put the three split files into a folder, verified; what it held before is gone."""
    names = [split_file(which) for which in Split]
    storage.get_folder(version.storage_prefix, folder, {name: version.manifest[name] for name in names})


def counts(task: Task) -> Path | None:
    """The folder of the base model whose tokenizer counts the tokens of data for a task, if it is here."""
    return catalogue.at_hand(default_base_model(task), settings().cache_folder) if task.trainable else None


def _examples(version: DatasetVersion, split: Split) -> list[Example]:
    lines = _verified(version, split_file(split)).decode().split("\n")[:-1]
    return [from_line(line) for line in lines]


def look_at(first: bytes, size: int) -> None:
    """Go on only with a file of a bearable size whose first bytes are of a kind that is read.

    Raises:
        FileTooLarge, EmptyFile, BinaryFile, UnsupportedFormat: otherwise.
    """
    if size > MAX_BYTES:
        raise FileTooLarge(size)
    if not first or (first.isspace() and size <= FIRST_BYTES):
        raise EmptyFile
    if not first.startswith((GZIP, ZIP, PARQUET)):
        detect_encoding(first)


def _verified(version: DatasetVersion, name: str) -> bytes:
    content = storage.get(f"{version.storage_prefix}/{name}")
    if hashlib.sha256(content).hexdigest() != version.manifest[name]:
        raise ValueError(f"{version.storage_prefix}/{name} is not what its manifest says")
    return content


def shown_filename(filename: str) -> str:
    """The name of a file without its folders and without what could not be shown."""
    name = visible(filename).replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(filter(str.isprintable, name)).strip()[-_FILENAME_CHARACTERS:] or "upload"


@contextmanager
def _removed_on_failure(prefix: str) -> Iterator[None]:
    try:
        yield
    except BaseException:
        storage.delete(prefix)
        raise
