"""Deleting what other things came from: who says what they were, and what of it stays."""

from sqlmodel import Session

from services.accounts import service as accounts
from services.accounts.scope import Member, Role
from services.datasets import service as datasets
from services.datasets.errors import DatasetInUse
from services.jobs import service as jobs
from services.registry import service as registry
from services.registry.tables import Model, ModelVersion


def models_of(session: Session, member: Member, *, dataset_id: str) -> list[tuple[Model, ModelVersion]]:
    """The model versions that were trained on a data set.

    Raises:
        NotFound: no such data set in this workspace.
    """
    trained = jobs.on_data(session, member, dataset_id=dataset_id)
    return registry.of_jobs(session, member, job_ids=[job.id for job in trained])


def delete_dataset(session: Session, member: Member, *, dataset_id: str) -> list[str]:
    """Remove the data of a data set; models that came from it stay, with their reports.

    Gives the storage keys and prefixes to delete after the transaction.

    Raises:
        RoleMissing: the member may not delete data sets.
        NotFound: no such data set in this workspace.
        DatasetDeleted: it was deleted before.
        DatasetInUse: jobs that wait or run need it.
    """
    member.require(Role.editor)
    # No job can be submitted meanwhile.
    accounts.lock_tenant(session, member)
    dataset = datasets.require_data(session, member, dataset_id=dataset_id)
    on_it = {job.id for job in jobs.on_data(session, member, dataset_id=dataset_id)}
    texts = {version.id for version in datasets.versions(session, member, dataset_id=dataset_id)}
    if waiting := [
        job
        for job in jobs.open_jobs(session, member)
        if job.id in on_it or job.recipe.get("familiarising_on") in texts
    ]:
        raise DatasetInUse(dataset.name, len(waiting))
    return datasets.delete(session, member, dataset_id=dataset_id)
