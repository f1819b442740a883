"""From an uploaded file to a job: the data set version that it needs is made on the way, or found."""

from sqlmodel import Session

from services import ordering
from services.accounts import service as accounts
from services.accounts.scope import Member, Role
from services.api.job_request import NewJob
from services.datasets import files
from services.datasets import service as datasets
from services.datasets.preview import DEFAULT_SEED
from services.datasets.split import Split
from services.datasets.tables import DatasetVersion, Upload
from services.db import reading, transaction
from services.jobs.tables import Job
from services.training.recipe import Task


class _StoredBefore(Exception):
    """The same files were put together for an earlier request."""

    def __init__(self, upload: Upload) -> None:
        super().__init__()
        self.upload = upload


class _MadeMeanwhile(Exception):
    """A request at the same time froze the same file first."""


def submit(member: Member, request: NewJob, *, key: str) -> Job:
    """Order a job on a file; where anything refuses, no data set, version or file of it stays behind.

    Raises:
        NotFound: no such file in this workspace.
        ServiceError: the data or the order cannot be accepted; `files.freeze` and `ordering.order` say why.
    """
    member.require(Role.editor)
    request.refuse_what_is_not_offered()
    while True:
        try:
            return _submit(member, request, key=key)
        except _MadeMeanwhile:
            continue


def _submit(member: Member, request: NewJob, *, key: str) -> Job:
    upload = _training_data(member, request)
    with reading() as db:
        version = _frozen(db, member, request, upload)
    name = request.name_of_model(upload.filename)
    if version is not None:
        with transaction() as db:
            return _order(db, member, request, version, name=name, key=key)

    with files.opened(upload) as content:
        form = request.format_of(content)
    request.recipe(form.task)  # says no before the work of splitting
    with files.freeze(member, upload, form=form, seed=DEFAULT_SEED) as version, transaction() as db:
        accounts.lock_tenant(db, member)
        if _frozen(db, member, request, upload) is not None:
            raise _MadeMeanwhile
        dataset = datasets.free_name(db, member, wanted=upload.filename)
        datasets.create(db, member, name=dataset, version=version)
        return _order(db, member, request, version, name=name, key=key)


def _training_data(member: Member, request: NewJob) -> Upload:
    """The file that is trained on; of several, one that holds them all and is made once."""
    with reading() as db:
        uploads = {
            split: datasets.get_upload(db, member, upload_id=file) for split, file in request.files.items()
        }
    if len(uploads) == 1:
        return uploads[Split.train]
    try:
        with files.store_together(member, uploads) as stored, transaction() as db:
            accounts.lock_tenant(db, member)
            if known := datasets.find_upload(db, member, sha256=stored.sha256):
                raise _StoredBefore(known)
            return datasets.upload(db, member, stored=stored)
    except _StoredBefore as before:
        return before.upload


def _frozen(session: Session, member: Member, request: NewJob, upload: Upload) -> DatasetVersion | None:
    """The version that was made from the file, if it was read with the columns that the request wants."""
    version = datasets.version_of_upload(session, member, upload_id=upload.id)
    if version is None:
        return None
    choices = request.choices
    as_wanted = choices.text_column in (None, version.format["text_column"]) and choices.label_column in (
        None,
        version.format["label_column"],
    )
    return version if as_wanted else None


def _order(
    session: Session, member: Member, request: NewJob, version: DatasetVersion, *, name: str, key: str
) -> Job:
    return ordering.order(
        session,
        member,
        dataset_version_id=version.id,
        recipe=request.recipe(Task(version.task)),
        model_name=name,
        key=key,
    )
