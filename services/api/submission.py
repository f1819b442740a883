"""From an uploaded file to a job: the data set version that it needs is made on the way, or found."""

from sqlmodel import Session

from services import ordering
from services.accounts import service as accounts
from services.accounts.scope import Member, Role
from services.api.job_request import NewJob
from services.datasets import files
from services.datasets import service as datasets
from services.datasets.preview import DEFAULT_SEED
from services.datasets.tables import DatasetVersion
from services.db import reading, transaction
from services.jobs.tables import Job
from services.training.recipe import Task


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
    with reading() as db:
        upload = datasets.get_upload(db, member, upload_id=request.training_file)
        version = _frozen(db, member, request)
    name = request.name_of_model(upload.filename)
    if version is not None:
        with transaction() as db:
            return _order(db, member, request, version, name=name, key=key)

    form = request.format_of(files.read_upload(upload))
    request.recipe(form.task)  # says no before the work of splitting
    with files.freeze(member, upload, form=form, seed=DEFAULT_SEED) as version, transaction() as db:
        accounts.lock_tenant(db, member)
        if _frozen(db, member, request) is not None:
            raise _MadeMeanwhile
        dataset = datasets.free_name(db, member, wanted=upload.filename)
        datasets.create(db, member, name=dataset, version=version)
        return _order(db, member, request, version, name=name, key=key)


def _frozen(session: Session, member: Member, request: NewJob) -> DatasetVersion | None:
    """The version that was made from the file, if it was read with the columns that the request wants."""
    version = datasets.version_of_upload(session, member, upload_id=request.training_file)
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
