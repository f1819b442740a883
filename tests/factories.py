"""Rows for tests, with sensible defaults by keyword."""

from itertools import count

from sqlmodel import Session

from services.accounts.scope import Member, Role
from services.accounts.tables import Membership, Tenant, User
from services.datasets.tables import Dataset, DatasetVersion
from services.jobs import queue, workers
from services.jobs import service as jobs
from services.jobs.queue import Claimed
from services.jobs.service import Quoted
from services.jobs.tables import Job
from services.training.recipe import Recipe, Task

_numbers = count(1)


def create_tenant(session: Session, *, name: str = "", **columns: object) -> Tenant:
    tenant = Tenant(name=name or f"Workspace {next(_numbers)}", **columns)
    session.add(tenant)
    session.flush()
    return tenant


def create_user(session: Session, *, email: str = "", email_verified: bool = True, **columns: object) -> User:
    number = next(_numbers)
    user = User(
        issuer="https://identity.example",
        subject=f"subject-{number}",
        email=email or f"person{number}@example.com",
        email_verified=email_verified,
        name=f"Person {number}",
        **columns,
    )
    session.add(user)
    session.flush()
    return user


def create_member(session: Session, *, tenant_id: str = "", role: Role = Role.owner) -> Member:
    tenant_id = tenant_id or create_tenant(session).id
    user = create_user(session)
    session.add(Membership(tenant_id=tenant_id, user_id=user.id, role=role))
    session.flush()
    return Member(tenant_id=tenant_id, role=role, user_id=user.id)


def create_version(session: Session, member: Member, *, labels: list[str] | None = None) -> DatasetVersion:
    """A frozen version's row, without files."""
    number = next(_numbers)
    dataset = Dataset(tenant_id=member.tenant_id, name=f"Data {number}", task=Task.text_classification)
    session.add(dataset)
    session.flush()
    version = DatasetVersion(
        tenant_id=member.tenant_id,
        dataset_id=dataset.id,
        task=Task.text_classification,
        format={},
        content_hash=f"hash-{number}",
        seed=42,
        rows_in=100,
        rows_used=100,
        labels={label: {"train": 40, "validation": 5, "test": 5} for label in labels or ["no", "yes"]},
        splits={"train": 80, "validation": 10, "test": 10},
        characters=5_000,
        storage_prefix=f"{member.tenant_id}/datasets/{number}",
        manifest={},
    )
    session.add(version)
    session.flush()
    return version


def create_job(session: Session, member: Member, *, key: str = "", **changes: object) -> Job:
    """A queued job of quick text classification."""
    number = next(_numbers)
    return jobs.submit(
        session,
        member,
        **{
            "dataset_version_id": create_version(session, member).id,
            "recipe": Recipe(task=Task.text_classification),
            "model_name": f"model-{number}",
            "quoted": Quoted(seconds_low=10, seconds_high=60, low=10_000, high=60_000, device_class="cpu"),
            "key": key or f"key-{number}",
        }
        | changes,
    )


def create_claimed_job(session: Session, member: Member) -> Claimed:
    """A job that some worker has just claimed; nobody else's may be waiting."""
    create_job(session, member)
    claimed = claim(session)
    assert claimed is not None
    return claimed


def claim(session: Session, *, worker_id: str = "") -> Claimed | None:
    """What a worker takes, a new one if none is named, within a transaction that does more."""
    worker_id = worker_id or next_worker(session)
    session.flush()
    claimed = queue.take(session.connection(), worker_id=worker_id)
    # What this session has loaded before does not know of it.
    session.expire_all()
    return claimed


def next_worker(session: Session) -> str:
    return workers.register(session, host="test", process=1, device="cpu", device_name="test").id
