"""Uploads, data sets and their frozen versions: recorded, found, deleted. `files` keeps what they hold."""

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from services import clock
from services.accounts import audit
from services.accounts import service as accounts
from services.accounts.scope import Member, Role, find, owned
from services.datasets.errors import BadDatasetName, DatasetDeleted, DatasetNameTaken, TaskDiffers
from services.datasets.tables import Dataset, DatasetVersion, Upload

_NAME_CHARACTERS = 80


def upload(session: Session, member: Member, *, stored: Upload) -> Upload:
    """Record a file that `files.store` has put away."""
    member.require(Role.editor)
    session.add(stored)
    session.flush()
    audit.record(session, member, "upload.created", stored.id, filename=stored.filename)
    return stored


def uploads(session: Session, member: Member) -> list[Upload]:
    """The workspace's files, newest first."""
    return list(session.exec(owned(Upload, member).order_by(col(Upload.id).desc())).all())


def get_upload(session: Session, member: Member, *, upload_id: str) -> Upload:
    """One file.

    Raises:
        NotFound: no such file in this workspace.
    """
    return find(session, member, Upload, upload_id, "file")


def find_upload(session: Session, member: Member, *, sha256: str) -> Upload | None:
    """The newest file of the workspace with these bytes, if there is one."""
    known = owned(Upload, member).where(Upload.sha256 == sha256).order_by(col(Upload.id).desc())
    return session.exec(known).first()


def delete_upload(session: Session, member: Member, *, upload_id: str) -> str:
    """Forget a file; versions made from it stay. Gives the storage key to delete after the transaction.

    Raises:
        NotFound: no such file in this workspace.
    """
    member.require(Role.editor)
    found = get_upload(session, member, upload_id=upload_id)
    session.delete(found)
    session.flush()
    audit.record(session, member, "upload.deleted", found.id, filename=found.filename)
    return found.storage_key


def create(session: Session, member: Member, *, name: str, version: DatasetVersion) -> DatasetVersion:
    """Make a data set whose first version is what `files.freeze` made.

    Raises:
        BadDatasetName: the name is empty or too long.
        DatasetNameTaken: the workspace has a data set of this name.
    """
    member.require(Role.editor)
    name = name.strip()
    if not (1 <= len(name) <= _NAME_CHARACTERS and name.isprintable()):
        raise BadDatasetName
    accounts.lock_tenant(session, member)
    if _by_name(session, member, name) is not None:
        raise DatasetNameTaken(name)

    dataset = Dataset(
        tenant_id=member.tenant_id,
        name=name,
        task=version.task,
        created_by=member.user_id or member.key_id,
    )
    session.add(dataset)
    session.flush()
    audit.record(session, member, "dataset.created", dataset.id, name=name)
    return _record_version(session, member, dataset, 1, version)


def add_version(
    session: Session, member: Member, *, dataset_id: str, version: DatasetVersion
) -> DatasetVersion:
    """Add what `files.freeze` made to a data set as its next version.

    Raises:
        NotFound: no such data set in this workspace.
        DatasetDeleted: its data is gone.
        TaskDiffers: the data set is for another task.
    """
    member.require(Role.editor)
    accounts.lock_tenant(session, member)
    dataset = require_data(session, member, dataset_id=dataset_id)
    if dataset.task != version.task:
        raise TaskDiffers(dataset.task, version.task)
    number = versions(session, member, dataset_id=dataset_id)[0].number + 1
    return _record_version(session, member, dataset, number, version)


def list_datasets(session: Session, member: Member) -> list[tuple[Dataset, DatasetVersion]]:
    """The workspace's data sets, newest first, each with its latest version."""
    kept = owned(Dataset, member).where(col(Dataset.deleted_at).is_(None))
    found = session.exec(kept.order_by(col(Dataset.id).desc())).all()
    by_number = owned(DatasetVersion, member).order_by(col(DatasetVersion.number))
    latest = {version.dataset_id: version for version in session.exec(by_number)}
    return [(dataset, latest[dataset.id]) for dataset in found]


def get(session: Session, member: Member, *, dataset_id: str) -> Dataset:
    """One data set, also where its data was deleted.

    Raises:
        NotFound: no such data set in this workspace.
    """
    return find(session, member, Dataset, dataset_id, "data set")


def require_data(session: Session, member: Member, *, dataset_id: str) -> Dataset:
    """One data set whose rows are there.

    Raises:
        NotFound: no such data set in this workspace.
        DatasetDeleted: its data is gone.
    """
    found = get(session, member, dataset_id=dataset_id)
    if found.deleted_at is not None:
        raise DatasetDeleted(found.name)
    return found


def versions(session: Session, member: Member, *, dataset_id: str) -> list[DatasetVersion]:
    """The versions of a data set, newest first, one at least.

    Raises:
        NotFound: no such data set in this workspace.
    """
    get(session, member, dataset_id=dataset_id)
    of_dataset = owned(DatasetVersion, member).where(DatasetVersion.dataset_id == dataset_id)
    return list(session.exec(of_dataset.order_by(col(DatasetVersion.number).desc())).all())


def get_version(session: Session, member: Member, *, version_id: str) -> DatasetVersion:
    """One version.

    Raises:
        NotFound: no such version in this workspace.
    """
    return find(session, member, DatasetVersion, version_id, "data set version")


def version_of_upload(session: Session, member: Member, *, upload_id: str) -> DatasetVersion | None:
    """The newest version that was made from a file and is still there, if any was.

    Raises:
        NotFound: no such file in this workspace.
    """
    get_upload(session, member, upload_id=upload_id)
    of_upload = owned(DatasetVersion, member).where(
        DatasetVersion.upload_id == upload_id,
        col(DatasetVersion.dataset_id).in_(
            owned(Dataset, member).where(col(Dataset.deleted_at).is_(None)).with_only_columns(col(Dataset.id))
        ),
    )
    return session.exec(of_upload.order_by(col(DatasetVersion.id).desc())).first()


def free_name(session: Session, member: Member, *, wanted: str) -> str:
    """The wanted name for a data set, with a number behind it where it is taken."""
    base = wanted.strip()[: _NAME_CHARACTERS - 8].strip() or "Data set"
    name, number = base, 2
    while _by_name(session, member, name) is not None:
        name, number = f"{base} {number}", number + 1
    return name


def delete(session: Session, member: Member, *, dataset_id: str) -> list[str]:
    """Remove a data set with its versions, and the files that nothing else was made from.

    Where jobs were submitted with it, its name and its counts stay as the origin of their models, without a
    row of data. Gives the storage keys and prefixes to delete after the transaction. Callers make sure that
    no job still needs the rows: see `services.deletion`.

    Raises:
        NotFound: no such data set in this workspace.
        DatasetDeleted: it was deleted before.
    """
    member.require(Role.editor)
    dataset = require_data(session, member, dataset_id=dataset_id)
    doomed = versions(session, member, dataset_id=dataset_id)
    gone = [version.storage_prefix for version in doomed]
    gone.append(f"{readings_prefix(member.tenant_id)}/{dataset.id}")
    sources = {version.upload_id for version in doomed}
    audit.record(session, member, "dataset.deleted", dataset.id, name=dataset.name)
    try:
        with session.begin_nested():
            for version in doomed:
                session.delete(version)
            session.flush()
            session.delete(dataset)
    except IntegrityError:
        dataset.name = free_name(session, member, wanted=f"{dataset.name[: _NAME_CHARACTERS - 20]} (deleted)")
        dataset.deleted_at = clock.now()
        for version in doomed:
            # Edits of rows quote them.
            version.changes = []
        session.flush()
    for upload in uploads(session, member):
        if upload.id in sources and version_of_upload(session, member, upload_id=upload.id) is None:
            gone.append(delete_upload(session, member, upload_id=upload.id))
    return gone


def readings_prefix(tenant_id: str) -> str:
    """Below which workers keep, by the ids of data sets, what base models have read of their rows."""
    return f"{tenant_id}/readings"


def _by_name(session: Session, member: Member, name: str) -> Dataset | None:
    return session.exec(owned(Dataset, member).where(Dataset.name == name)).one_or_none()


def _record_version(
    session: Session, member: Member, dataset: Dataset, number: int, version: DatasetVersion
) -> DatasetVersion:
    version.dataset_id, version.number = dataset.id, number
    session.add(version)
    session.flush()
    audit.record(
        session,
        member,
        "dataset_version.created",
        version.id,
        dataset=dataset.id,
        name=dataset.name,
        version_number=number,
        rows=version.rows_used,
    )
    return version
