"""Queue and workers: what stands there, and what can be done by hand."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from services import clock
from services.accounts.scope import Member, Staff, StaffRole
from services.accounts.tables import AuditEntry, StaffGrant, User
from services.db import reading, transaction
from services.jobs import queue
from services.jobs import service as jobs
from services.jobs.tables import Job, JobState, Worker
from tests import factories
from tests.portal import rows
from tests.portal.reports import create_report
from tests.portal.visitor import button, by_itself, opened_by, words

PAGE = "views/admin/queue.py"


def opened(operator: Staff) -> AppTest:
    return opened_by(operator.user_id).switch_page(PAGE).run()


def choose(app: AppTest, label: str, value: str) -> AppTest:
    [box] = [one for one in app.selectbox if one.label == label]
    return box.set_value(value).run()


def tables(app: AppTest) -> str:
    return "\n".join(frame.value.to_string() for frame in app.dataframe)


def state_of(member: Member, job_id: str) -> JobState:
    with reading() as db:
        return jobs.get(db, member, job_id=job_id).state


def deeds(subject: str) -> list[tuple[str, str]]:
    with reading() as db:
        found = db.exec(select(AuditEntry).where(AuditEntry.subject == subject).order_by(AuditEntry.id))
        return [(entry.action, entry.actor) for entry in found]


def test_an_empty_installation_says_what_to_do(operator: Staff) -> None:
    app = opened(operator)

    assert not app.exception
    written = words(app)
    assert "Nobody waits" in written
    assert "Nothing runs" in written
    assert "tuneport serve worker" in written
    assert {metric.label: metric.value for metric in app.metric}["Busy in 24 h"] == "–"


def test_everything_of_the_queue_stands_on_it(owner: Member, operator: Staff) -> None:
    version = rows.create_dataset(owner)
    rows.create_job(owner, version, model_name="broken")
    with transaction() as db:
        claimed = factories.claim(db)
        queue.fail(db, claimed, code="nan_loss", message="No.")
    rows.create_job(owner, version, model_name="at-work")
    rows.claim()
    rows.create_job(owner, version, model_name="in-line")

    app = opened(operator)

    assert not app.exception
    assert {metric.label: metric.value for metric in app.metric} | {"Busy in 24 h": ""} == {
        "Waiting": "1",
        "Running": "1",
        "Stuck": "0",
        "Busy in 24 h": "",
    }
    shown = tables(app)
    for part in ("at-work", "nan_loss", "1 of 2", "busy", "idle", "next"):
        assert part in shown, part


def test_what_is_stuck_needs_somebody(owner: Member, operator: Staff) -> None:
    rows.create_job(owner)

    app = opened(operator)

    assert {metric.label: metric.value for metric in app.metric}["Stuck"] == "1"
    assert "**1 waiting job**" in words(app)
    assert "No worker is alive that takes jobs" in words(app)


def test_jobs_that_look_the_same_are_told_apart(owner: Member, operator: Staff) -> None:
    version = rows.create_dataset(owner)
    jobs_made = [rows.create_job(owner, version) for _ in range(3)]

    app = choose(opened(operator), "Job", jobs_made[1].id)

    [box] = [one for one in app.selectbox if one.label == "Job"]
    assert len(set(box.options)) == 3
    assert box.value == jobs_made[1].id


def test_a_job_fails_by_hand_with_a_sentence(owner: Member, operator: Staff) -> None:
    job = rows.create_job(owner)
    app = choose(opened(operator), "Job", job.id)

    button(app, "Fail").click().run()
    assert state_of(owner, job.id) is JobState.queued
    app.text_area(key="ask_sentence").set_value("Nobody can do this.")
    app.button(key="ask_go").click().run()

    assert not app.exception
    assert state_of(owner, job.id) is JobState.failed
    assert ("job.failed_by_hand", operator.user_id) in deeds(job.id)


def test_without_a_sentence_nothing_happens(owner: Member, operator: Staff) -> None:
    job = rows.create_job(owner)
    app = choose(opened(operator), "Job", job.id)

    button(app, "Fail").click().run()
    app.button(key="ask_go").click().run()

    assert "sentence_missing" in app.error[0].value
    assert state_of(owner, job.id) is JobState.queued


def test_a_failed_job_is_queued_again(owner: Member, operator: Staff) -> None:
    failed = rows.create_job(owner)
    with transaction() as db:
        queue.fail(db, rows.claim(), code="nan_loss", message="No.")
    app = choose(opened(operator), "Job", failed.id)
    assert button(app, "Fail").disabled
    assert button(app, "Try now").disabled

    button(app, "Queue again").click().run()
    app.button(key="confirm_go").click().run()

    assert not app.exception
    with reading() as db:
        [again] = [job for job in jobs.open_jobs(db, owner) if job.id != failed.id]
    assert ("job.queued_again", operator.user_id) in deeds(again.id)


def test_a_pause_is_cut_short(owner: Member, operator: Staff) -> None:
    job = rows.create_job(owner)
    with transaction() as db:
        waiting = db.get_one(Job, job.id)
        waiting.run_at = clock.now() + timedelta(hours=1)
        db.add(waiting)
    app = choose(opened(operator), "Job", job.id)

    button(app, "Try now").click().run()
    app.button(key="confirm_go").click().run()

    assert not app.exception
    with reading() as db:
        assert jobs.get(db, owner, job_id=job.id).run_at <= clock.now()


def test_a_worker_is_drained(operator: Staff) -> None:
    with transaction() as db:
        worker_id = factories.next_worker(db)
    app = choose(opened(operator), "Worker", worker_id)

    button(app, "Drain").click().run()
    app.button(key="confirm_go").click().run()

    assert not app.exception
    with reading() as db:
        assert db.get_one(Worker, worker_id).drain_requested_at is not None
    assert deeds(worker_id) == [("worker.drained", operator.user_id)]
    assert "draining" in tables(app)


def test_quotes_stand_beside_what_runs_took(owner: Member, operator: Staff, tmp_path: Path) -> None:
    assert "no quote has been put to the test" in words(opened(operator))
    rows.create_model(owner, tmp_path, create_report(), name="worst-one")

    app = opened(operator)

    assert "1 of 1 run of the last 30 days took no longer than was quoted" in words(app)
    assert "worst-one" in tables(app)


def test_a_job_is_seen_as_operators_see_it(owner: Member, operator: Staff) -> None:
    job = rows.create_job(owner, model_name="looked-at")
    with transaction() as db:
        queue.fail(db, rows.claim(), code="nan_loss", message="No.")
    app = opened_by(operator.user_id).switch_page(PAGE)
    app.query_params["job"] = job.id

    app.run()

    assert not app.exception
    assert app.title[0].value == r"looked\-at"
    assert "nan_loss" in app.error[0].value
    assert {metric.label: metric.value for metric in app.metric}["Charged"] == "€0.00"
    [attempts] = app.dataframe
    assert attempts.value["Ended"].tolist() == ["failed"]
    assert attempts.value["Worker"].tolist() == ["test"]


@pytest.mark.parametrize("staff_role", [None, StaffRole.sales])
def test_the_page_checks_by_itself(owner: Member, staff_role: StaffRole | None) -> None:
    with transaction() as db:
        user = db.get_one(User, owner.user_id)
        if staff_role is not None:
            db.add(StaffGrant(email=user.email, role=staff_role))
    app = by_itself(owner.user_id, "admin/queue")

    assert app.exception
    assert [*app.title, *app.metric, *app.dataframe] == []
