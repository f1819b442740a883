"""Models are published once, found by name, and fetched whole or not at all."""

from pathlib import Path

import pytest
from sqlmodel import Session

from services.accounts.scope import Member, Role, RoleMissing
from services.errors import NotFound
from services.registry import aliases
from services.registry import service as registry
from services.registry.errors import ArtefactDamaged, BadModelName, ModelMissing, ModelTaskChanged
from services.registry.gate import Judgement, Verdict
from services.registry.tables import ModelVersion
from services.training.recipe import Recipe, Task
from services.training.reporting.report import Report, RowCounts
from tests import factories


def create_report(*, task: Task = Task.text_classification, value: float = 0.9) -> Report:
    return Report(
        task=task,
        metric="accuracy",
        value=value,
        interval=(value - 0.05, value + 0.05),
        validation_value=value,
        test_rows=10,
        per_class=[],
        macro_f1=value,
        weighted_f1=value,
        micro_f1=value,
        accuracy=value,
        confusion=None,
        baselines=[],
        worst=[],
        rows=RowCounts(train=80, validation=10, test=10),
        truncated_rows=0,
        seconds={"training": 1.0},
        base_model="all-MiniLM-L6-v2",
        recipe=Recipe(task=task),
        data_hash="hash",
        device="cpu",
    )


def create_artefact(folder: Path, *, job_id: str = "job_1", tenant_id: str = "ten_1") -> registry.Artefact:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "tuneport.json").write_text("{}")
    return registry.store(folder, tenant_id=tenant_id, job_id=job_id, attempt_id="1")


def publish(session: Session, member: Member, folder: Path, *, name: str = "intents") -> ModelVersion:
    job = factories.create_job(session, member)
    return registry.publish(
        session,
        member,
        name=name,
        job_id=job.id,
        labels=["no", "yes"],
        report=create_report(),
        artefact=create_artefact(folder, job_id=job.id, tenant_id=member.tenant_id),
    )


def create_judgement(version: ModelVersion, live: ModelVersion) -> Judgement:
    return Judgement(version_id=version.id, against_id=live.id, verdict=Verdict.not_comparable, rows=0)


def test_the_first_version_goes_to_production(session: Session, member: Member, tmp_path: Path) -> None:
    version = publish(session, member, tmp_path / "model")

    for name in ("intents", version.model_id, version.id):
        assert registry.resolve(session, member, name=name).id == version.id


def test_a_later_version_waits_until_it_is_promoted(session: Session, member: Member, tmp_path: Path) -> None:
    first, second = publish(session, member, tmp_path / "a"), publish(session, member, tmp_path / "b")
    assert (first.number, second.number) == (1, 2)
    [standing] = registry.standings(session, member)
    assert (standing.production.id, standing.newest.id) == (first.id, second.id)
    assert registry.resolve(session, member, name="intents").id == first.id

    aliases.promote(session, member, judged=create_judgement(second, first))

    assert registry.resolve(session, member, name="intents").id == second.id
    [standing] = registry.standings(session, member)
    assert standing.production.id == standing.newest.id == second.id


def test_a_fetched_version_is_what_was_stored(session: Session, member: Member, tmp_path: Path) -> None:
    version = publish(session, member, tmp_path / "model")

    registry.fetch(version, tmp_path / "fetched")

    assert (tmp_path / "fetched/model.safetensors").read_bytes() == b"weights"


@pytest.mark.parametrize("damage", ["change", "remove"])
def test_a_damaged_version_is_refused(
    session: Session, member: Member, tmp_path: Path, home: Path, damage: str
) -> None:
    version = publish(session, member, tmp_path / "model")
    stored = home / "objects" / version.storage_prefix / "model.safetensors"
    if damage == "change":
        stored.write_bytes(b"weightz")
    else:
        stored.unlink()

    with pytest.raises(ArtefactDamaged):
        registry.fetch(version, tmp_path / "fetched")

    assert not (tmp_path / "fetched").exists()


def test_a_model_keeps_its_task(session: Session, member: Member, tmp_path: Path) -> None:
    publish(session, member, tmp_path / "model")

    with pytest.raises(ModelTaskChanged):
        registry.check_name(session, member, name="intents", task=Task.token_classification)


@pytest.mark.parametrize("name", ["", "Intents", "a b", "../x", "-x", "x" * 61, "é"])
def test_a_bad_name_is_refused(session: Session, member: Member, name: str) -> None:
    with pytest.raises(BadModelName):
        registry.check_name(session, member, name=name, task=Task.text_classification)


def test_a_foreign_model_does_not_exist(session: Session, member: Member, tmp_path: Path) -> None:
    version = publish(session, member, tmp_path / "model")
    stranger = factories.create_member(session)

    with pytest.raises(ModelMissing):
        registry.resolve(session, stranger, name="intents")
    with pytest.raises(ModelMissing):
        registry.resolve(session, stranger, name=version.id)
    with pytest.raises(NotFound):
        registry.get_version(session, stranger, version_id=version.id)
    with pytest.raises(NotFound):
        aliases.promote(session, stranger, judged=create_judgement(version, version))
    assert registry.models(session, stranger) == []


def test_a_viewer_promotes_nothing(session: Session, member: Member, member_as, tmp_path: Path) -> None:
    version = publish(session, member, tmp_path / "model")

    with pytest.raises(RoleMissing):
        aliases.promote(session, member_as(Role.viewer), judged=create_judgement(version, version))
