"""What the subjects of use are called: jobs by the model they train, versions by model and number."""

from collections.abc import Collection

from sqlmodel import Session, col

from services.accounts.scope import Member, owned
from services.jobs.tables import Job
from services.registry.tables import Model, ModelVersion


def names(session: Session, member: Member, subjects: Collection[str]) -> dict[str, str]:
    """Names by id of the member's jobs and model versions among `subjects`."""
    jobs = owned(Job, member).where(col(Job.id).in_(subjects))
    versions = (
        owned(ModelVersion, member)
        .join(
            Model,
            (col(Model.tenant_id) == ModelVersion.tenant_id) & (col(Model.id) == ModelVersion.model_id),
        )
        .where(col(ModelVersion.id).in_(subjects))
    )
    named_jobs = session.execute(jobs.with_only_columns(col(Job.id), col(Job.model_name)))
    named_versions = session.execute(
        versions.with_only_columns(col(ModelVersion.id), col(Model.name), col(ModelVersion.number))
    )
    found = {version_id: f"{name}, version {number}" for version_id, name, number in named_versions}
    for job_id, name in named_jobs:
        found[job_id] = name
    return found
