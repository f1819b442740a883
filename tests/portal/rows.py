"""Rows for pages, made the way customers make them."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from services import clock, ids
from services.accounts.scope import Member, Role
from services.datasets import files
from services.datasets import service as datasets
from services.datasets.detection import detect
from services.datasets.preview import DEFAULT_SEED
from services.datasets.tables import DatasetVersion, Upload
from services.db import transaction
from services.jobs import queue
from services.jobs import service as jobs
from services.jobs.queue import Claimed
from services.jobs.service import Quoted
from services.jobs.tables import Job
from services.metering import service as metering
from services.metering import usage
from services.registry import service as registry
from services.registry.tables import ModelVersion
from services.training.recipe import Recipe, Task
from services.training.reporting.evidence import Evidence
from services.training.reporting.report import Report
from tests import factories

CARDS = b"text,label\n" + b"".join(
    b"where is my card %d,card_arrival\nwhat is the rate %d,exchange_rate\n" % (number, number)
    for number in range(20)
)
PLACES = b"".join(
    b"Ann%d\tB-person\nlives\tO\nin\tO\nNew\tB-place\nYork%d\tI-place\n\n" % (number, number)
    for number in range(20)
)


def colleague(member: Member, role: Role) -> Member:
    """Another member of the same workspace."""
    with transaction() as db:
        return factories.create_member(db, tenant_id=member.tenant_id, role=role)


def stranger() -> Member:
    """An owner of another workspace."""
    with transaction() as db:
        return factories.create_member(db)


def create_upload(member: Member, content: bytes = CARDS, filename: str = "cards.csv") -> Upload:
    with files.store(member, filename=filename, content=content) as stored, transaction() as db:
        return datasets.upload(db, member, stored=stored)


def create_dataset(member: Member, content: bytes = CARDS, name: str = "Cards") -> DatasetVersion:
    upload = create_upload(member, content)
    with files.freeze(member, upload, form=detect(content), seed=DEFAULT_SEED) as frozen, transaction() as db:
        return datasets.create(db, member, name=name, version=frozen)


def create_job(
    member: Member, version: DatasetVersion | None = None, *, model_name: str = "cards", **changes: object
) -> Job:
    """A queued job, quoted at up to six cents."""
    version = version or create_dataset(member)
    with transaction() as db:
        return jobs.submit(
            db,
            member,
            **{
                "dataset_version_id": version.id,
                "recipe": Recipe(task=Task(version.task)),
                "model_name": model_name,
                "quoted": Quoted(
                    seconds_low=10, seconds_high=60, low=10_000, high=60_000, device_class="cpu"
                ),
                "key": ids.new("request"),
            }
            | changes,
        )


def claim() -> Claimed:
    """Some worker takes the next job."""
    with transaction() as db:
        claimed = factories.claim(db)
    assert claimed is not None
    return claimed


def create_model(
    member: Member,
    folder: Path,
    report: Report,
    *,
    version: DatasetVersion | None = None,
    name: str = "cards",
    evidence: Evidence | None = None,
    weights: Path | None = None,
) -> ModelVersion:
    """A finished job's model version; its job took 30 seconds."""
    job = create_job(member, version, model_name=name)
    claimed = claim()
    if weights is None:
        weights = folder / job.id
        weights.mkdir(parents=True)
        (weights / "model.safetensors").write_bytes(b"weights")
    if evidence:
        evidence.save(weights)
    artefact = registry.store(weights, tenant_id=member.tenant_id, job_id=job.id, attempt_id="1")
    with transaction() as db:
        made = registry.publish(
            db,
            member,
            name=name,
            job_id=job.id,
            labels=[score.label for score in report.per_class],
            report=report,
            artefact=artefact,
        )
        event = usage.training(
            tenant_id=member.tenant_id,
            job_id=job.id,
            device_class="cpu",
            device_seconds=Decimal(300),
            at=clock.now(),
            user_id=member.user_id,
        )
        metering.record(db, [event])
        queue.finish(db, claimed, model_version_id=made.id, charged=30_000)
    return made


def record_predictions(
    member: Member, version: ModelVersion, texts: int, *, days_ago: int = 0, key_id: str | None = None
) -> None:
    """One call with so many texts."""
    event = usage.predictions(
        tenant_id=member.tenant_id,
        request_id=ids.new("request"),
        model_version_id=version.id,
        texts=texts,
        at=clock.now() - timedelta(days=days_ago),
        user_id=None if key_id else member.user_id,
        key_id=key_id,
    )
    with transaction() as db:
        metering.record(db, [event])
