"""Trained models: published by jobs, found by name, moved to production, fetched whole or not at all."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session, col

from services import clock, storage
from services.accounts.scope import Member, find, owned
from services.errors import NotFound
from services.registry.errors import ArtefactDamaged, BadModelName, ModelMissing, ModelTaskChanged
from services.registry.tables import PRODUCTION, Alias, AliasMove, Model, ModelVersion, MoveKind, Stage
from services.training.reporting.report import Report

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,59}")


@dataclass(frozen=True)
class Artefact:
    """Where a run's model folder was stored, and what is in it: relative path -> sha256."""

    prefix: str
    manifest: dict[str, str]
    bytes: int


@dataclass(frozen=True)
class Standing:
    """A model, the version that programs get by its name, and the newest one, which may be the same."""

    model: Model
    production: ModelVersion
    newest: ModelVersion


def prefix_of(tenant_id: str, job_id: str, attempt_id: str) -> str:
    """Where an attempt of a job, and nobody else, stores its model."""
    return f"{tenant_id}/models/{job_id}/{attempt_id}"


def store(folder: Path, *, tenant_id: str, job_id: str, attempt_id: str) -> Artefact:
    """Put a model folder where only this attempt writes; it is nobody's until `publish` names it."""
    prefix = prefix_of(tenant_id, job_id, attempt_id)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Artefact(prefix=prefix, manifest=storage.put_folder(folder, prefix), bytes=size)


def check_name(session: Session, member: Member, *, name: str, task: str) -> None:
    """Could a model of this task be published under this name?

    Raises:
        BadModelName: the name cannot stand in a request.
        ModelTaskChanged: a model of another task has it.
    """
    if not _NAME.fullmatch(name):
        raise BadModelName(name)
    model = session.exec(owned(Model, member).where(Model.name == name)).one_or_none()
    if model is not None and model.task != task:
        raise ModelTaskChanged(name, model.task)


def publish(
    session: Session,
    member: Member,
    *,
    name: str,
    job_id: str,
    labels: list[str],
    report: Report,
    artefact: Artefact,
    stage: Stage = Stage.last,
) -> ModelVersion:
    """Make the next version of a model; the first one of a model goes to production.

    What a job came to takes the place of the Quick version that it published before, where that is in
    production and not better on the test split.

    Raises:
        BadModelName: the name cannot stand in a request.
        ModelTaskChanged: a model of another task has the name.
    """
    check_name(session, member, name=name, task=report.task)
    model = session.exec(owned(Model, member).where(Model.name == name).with_for_update()).one_or_none()
    if model is None:
        model = Model(tenant_id=member.tenant_id, name=name, task=report.task)
        session.add(model)
        session.flush()
    earlier = versions(session, member, model_id=model.id)
    version = ModelVersion(
        tenant_id=member.tenant_id,
        model_id=model.id,
        number=earlier[0].number + 1 if earlier else 1,
        job_id=job_id,
        stage=stage,
        task=report.task,
        base_model=report.base_model,
        labels=labels,
        metric=report.metric,
        value=report.value,
        report=report.model_dump(mode="json"),
        storage_prefix=artefact.prefix,
        manifest=artefact.manifest,
        bytes=artefact.bytes,
    )
    session.add(version)
    session.flush()
    if not earlier:
        _begin(session, member, version)
    elif stage is Stage.last:
        _follow(session, member, version, earlier)
    return version


def _follow(session: Session, member: Member, version: ModelVersion, earlier: Sequence[ModelVersion]) -> None:
    first = next((one for one in earlier if one.job_id == version.job_id), None)
    mine = owned(Alias, member).where(Alias.model_id == version.model_id, Alias.name == PRODUCTION)
    alias = session.exec(mine.with_for_update()).one()
    if first is None or alias.version_id != first.id or version.value < first.value:
        return
    alias.version_id, alias.moved_at = version.id, clock.now()
    session.add(alias)
    session.add(
        AliasMove(
            tenant_id=member.tenant_id,
            model_id=version.model_id,
            from_version_id=first.id,
            to_version_id=version.id,
            kind=MoveKind.promoted,
            reason="The job went on from its Quick model, which was in production.",
            moved_by=member.user_id or member.key_id,
        )
    )
    session.flush()


def _begin(session: Session, member: Member, version: ModelVersion) -> None:
    session.add(Alias(tenant_id=member.tenant_id, model_id=version.model_id, version_id=version.id))
    session.add(
        AliasMove(
            tenant_id=member.tenant_id,
            model_id=version.model_id,
            to_version_id=version.id,
            kind=MoveKind.first,
            moved_by=member.user_id or member.key_id,
        )
    )
    session.flush()


def is_named(session: Session, member: Member, *, prefix: str) -> bool:
    """Does any version stand on the files below this prefix?"""
    standing = owned(ModelVersion, member).where(ModelVersion.storage_prefix == prefix)
    return session.exec(standing).first() is not None


def models(session: Session, member: Member) -> list[Model]:
    """The workspace's models, by name."""
    return list(session.exec(owned(Model, member).order_by(Model.name)))


def get_model(session: Session, member: Member, *, model_id: str) -> Model:
    """One model.

    Raises:
        NotFound: no such model in this workspace.
    """
    return find(session, member, Model, model_id, "model")


def versions(session: Session, member: Member, *, model_id: str) -> list[ModelVersion]:
    """A model's versions, newest first."""
    statement = owned(ModelVersion, member).where(ModelVersion.model_id == model_id)
    return list(session.exec(statement.order_by(col(ModelVersion.number).desc())))


def standings(session: Session, member: Member) -> list[Standing]:
    """How each model of the workspace stands, by name."""
    by_age = session.exec(owned(ModelVersion, member).order_by(col(ModelVersion.number))).all()
    by_id = {version.id: version for version in by_age}
    newest = {version.model_id: version for version in by_age}
    live = production(session, member)
    return [Standing(model, by_id[live[model.id]], newest[model.id]) for model in models(session, member)]


def of_jobs(
    session: Session, member: Member, *, job_ids: Collection[str]
) -> list[tuple[Model, ModelVersion]]:
    """The model versions that came of these jobs, each with its model, by name and number."""
    made = session.exec(owned(ModelVersion, member).where(col(ModelVersion.job_id).in_(job_ids))).all()
    named = {model.id: model for model in models(session, member)}
    found = [(named[version.model_id], version) for version in made]
    return sorted(found, key=lambda pair: (pair[0].name, pair[1].number))


def get_version(session: Session, member: Member, *, version_id: str) -> ModelVersion:
    """One version.

    Raises:
        NotFound: no such version in this workspace.
    """
    return find(session, member, ModelVersion, version_id, "model version")


def production(session: Session, member: Member) -> dict[str, str]:
    """Model id -> id of the version in production."""
    aliases = session.exec(owned(Alias, member).where(Alias.name == PRODUCTION))
    return {alias.model_id: alias.version_id for alias in aliases}


def resolve(session: Session, member: Member, *, name: str) -> ModelVersion:
    """The version that a request means by `name`: a version's id, or a model's id or name (in production).

    Raises:
        ModelMissing: nothing here is called that.
    """
    version = session.exec(owned(ModelVersion, member).where(ModelVersion.id == name)).one_or_none()
    if version is not None:
        return version
    meant = owned(Model, member).where((Model.id == name) | (Model.name == name))
    model = session.exec(meant).one_or_none()
    if model is None:
        raise ModelMissing(name)
    return get_version(session, member, version_id=production(session, member)[model.id])


def fetch(version: ModelVersion, folder: Path, *, manifest: dict[str, str] | None = None) -> None:
    """Bring a version's files into a folder, each verified against the manifest. No transaction is needed.

    `manifest` is that part of the version's own of which the files are wanted.

    Raises:
        ArtefactDamaged: a file is missing or changed.
    """
    try:
        storage.get_folder(version.storage_prefix, folder, version.manifest if manifest is None else manifest)
    except (NotFound, ValueError) as reason:
        raise ArtefactDamaged(version.id) from reason
