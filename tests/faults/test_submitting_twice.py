"""Promise 10: submitting twice is once, also where the answer was lost."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, func, select

from services.accounts.scope import Member
from services.accounts.tables import AuditEntry
from services.config import settings
from services.db import engine_for, reading, transaction
from services.jobs import service as jobs
from tests import factories
from tests.faults.conftest import ROUNDS
from tests.faults.crew import together
from tests.faults.proxy import Proxy

POSTGRES_ONLY = pytest.mark.parametrize("template", ["postgres"], indirect=True)


@contextmanager
def lost_answers() -> Iterator[None]:
    """Every commit is carried out, and its answer is lost."""

    def lose(_: Session) -> None:
        raise OperationalError("COMMIT", {}, Exception("the answer was lost"))

    event.listen(Session, "after_commit", lose)
    try:
        yield
    finally:
        event.remove(Session, "after_commit", lose)


@pytest.fixture
def request_of(live_database: str) -> tuple[Member, str]:
    """A member, and a data set version to train on."""
    with transaction() as session:
        member = factories.create_member(session)
        return member, factories.create_version(session, member).id


def submit(request: tuple[Member, str], key: str) -> str:
    member, version_id = request
    with transaction() as session:
        return factories.create_job(
            session, member, key=key, dataset_version_id=version_id, model_name="model"
        ).id


def jobs_of(member: Member) -> list[str]:
    with reading() as session:
        return [job.id for job in jobs.recent(session, member, limit=1000)]


def test_a_submit_whose_answer_was_lost_is_the_same_job_again(request_of: tuple[Member, str]) -> None:
    with lost_answers(), pytest.raises(OperationalError):
        submit(request_of, "key")

    again = submit(request_of, "key")

    assert jobs_of(request_of[0]) == [again]
    with reading() as session:
        told = select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "job.submitted")
        assert session.exec(told).one() == 1


@POSTGRES_ONLY
def test_a_submit_whose_connection_broke_at_the_commit_is_the_same_job_again(
    request_of: tuple[Member, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(settings().database_url) as proxy:
        monkeypatch.setenv("TUNEPORT_DATABASE_URL", proxy.url)
        settings.cache_clear()
        made = set()
        for number in range(5 * ROUNDS):
            proxy.lose_commits(1)
            with pytest.raises(OperationalError):
                submit(request_of, f"key-{number}")
            made.add(submit(request_of, f"key-{number}"))

        assert proxy.commits_lost == 5 * ROUNDS
        assert set(jobs_of(request_of[0])) == made
        engine_for(proxy.url).dispose()


def test_many_submits_at_once_with_one_key_are_one_job(request_of: tuple[Member, str]) -> None:
    made = together(*[lambda: submit(request_of, "key")] * 12)

    assert jobs_of(request_of[0]) == list(set(made))
