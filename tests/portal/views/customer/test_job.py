from datetime import UTC, datetime
from pathlib import Path

from services.accounts.scope import Member, Role
from services.db import reading, transaction
from services.jobs import queue
from services.jobs import service as jobs
from services.jobs.tables import Job, JobState
from services.training.process.events import EventKind, Phase, RunEvent
from tests.portal.reports import create_report
from tests.portal.rows import claim, colleague, create_dataset, create_job, create_model, stranger
from tests.portal.visitor import button, visit, words

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def state_of(member: Member, job: Job) -> JobState:
    with reading() as db:
        return jobs.get(db, member, job_id=job.id).state


def test_a_waiting_job_says_how_many_come_before_it(owner: Member) -> None:
    version = create_dataset(owner)
    create_job(owner, version)
    job = create_job(owner, version)

    page = visit(owner, "job", id=job.id)

    assert not page.exception
    assert "One of your jobs starts before it" in page.info[0].value


def test_a_waiting_job_says_when_it_will_start(owner: Member) -> None:
    create_job(owner, version := create_dataset(owner))
    claim()
    job = create_job(owner, version)

    page = visit(owner, "job", id=job.id)

    assert not page.exception
    assert "It starts in about " in page.info[0].value
    assert "(at the latest " in page.info[0].value


def test_settings_that_a_search_has_tried_are_a_table(owner: Member) -> None:
    job = create_job(owner)
    claimed = claim()
    told = [
        RunEvent(
            kind=EventKind.trial,
            phase=Phase.training,
            step=number,
            values={"trial": number, "evaluations": 2.0, "accuracy": score, "learning_rate": 1e-4},
            message=how,
        )
        for number, score, how in ((1, 0.75, "whole"), (2, 0.5, "ended early"), (3, 0.875, "whole"))
    ]
    with transaction() as session:
        queue.report(session, claimed, list(enumerate(told)))

    page = visit(owner, "job", id=job.id)

    assert not page.exception
    assert "The settings of trial 3 are the best of 3 tried: Accuracy 87.5" in words(page).replace("\\", "")
    table = page.dataframe[0].value
    assert table["Trial"].tolist() == [3, 1, 2]
    assert table["How it ended"].tolist()[2] == "Ended early, in the worse half"


def test_a_running_job_shows_phases_curves_eta_and_cost(owner: Member) -> None:
    job = create_job(owner)
    claimed = claim()
    told = [
        RunEvent(at=NOON, kind=EventKind.phase, phase=Phase.loading),
        RunEvent(at=NOON.replace(second=3), kind=EventKind.phase, phase=Phase.training),
        RunEvent(kind=EventKind.progress, phase=Phase.training, step=1, steps=4, values={"loss": 4.0}),
        RunEvent(kind=EventKind.metric, phase=Phase.training, step=1, epoch=0.0, values={"accuracy": 0.5}),
        RunEvent(kind=EventKind.metric, phase=Phase.training, step=2, epoch=1.0, values={"accuracy": 0.75}),
        RunEvent(kind=EventKind.note, phase=Phase.training, message="Two texts were :red[cut]."),
        RunEvent(
            kind=EventKind.progress,
            phase=Phase.training,
            step=2,
            steps=4,
            eta_seconds=42.0,
            values={"loss": 2.0},
        ),
    ]
    with transaction() as db:
        queue.report(db, claimed, list(enumerate(told)))

    page = visit(owner, "job", id=job.id)

    assert not page.exception
    text = words(page)
    assert "Loading · 3.0 s" in text
    assert "progress_activity: Training" in text
    assert r"**Accuracy reached 75\.0 \% in epoch 1**" in text
    assert r"**Loss went from 4\.00 to 2\.00**" in text
    assert "Cost so far: €" in text
    assert page.progress[0].value == 50
    assert page.progress[0].text == "Training: 50 %, about 40 s left"
    assert r"\::gray[]red\[cut\]" in text
    assert len(page.get("plotly_chart")) == 2


def test_both_curves_have_their_place_from_the_first_step_on(owner: Member) -> None:
    job = create_job(owner)
    claimed = claim()
    score = RunEvent(kind=EventKind.metric, phase=Phase.fitting, step=1, values={"accuracy": 0.5})
    loss = RunEvent(kind=EventKind.progress, phase=Phase.training, step=1, steps=4, values={"loss": 4.0})
    with transaction() as db:
        queue.report(db, claimed, [(0, score)])
    assert len(visit(owner, "job", id=job.id).get("plotly_chart")) == 0, "one score is no curve"

    with transaction() as db:
        queue.report(db, claimed, [(1, loss)])
    page = visit(owner, "job", id=job.id)

    assert len(page.get("plotly_chart")) == 2
    text = words(page)
    assert r"**Loss was 4\.00 at step 1**" in text
    assert r"**Accuracy reached 50\.0 \% before the first epoch**" in text


def test_stopping_asks_first_and_then_cancels(owner: Member) -> None:
    job = create_job(owner)
    page = visit(owner, "job", id=job.id)

    button(page, "Stop").click().run()
    assert state_of(owner, job) is JobState.queued
    page.button(key="confirm_go").click().run()

    assert not page.exception
    assert state_of(owner, job) is JobState.cancelled
    assert button(page, "Start it again")
    assert "nothing is billed" in [metric.delta for metric in page.metric]


def test_a_failed_job_says_why_and_that_it_costs_nothing(owner: Member) -> None:
    job = create_job(owner)
    claimed = claim()
    with transaction() as db:
        queue.fail(db, claimed, code="nan_loss", message="The loss became *infinite*.")

    page = visit(owner, "job", id=job.id)

    assert not page.exception
    assert r"The loss became \*infinite\*\." in page.error[0].value
    assert "nan_loss" in page.error[0].value
    assert "nothing is billed" in page.error[0].value


def test_a_finished_job_leads_to_its_report(owner: Member, tmp_path: Path) -> None:
    made = create_model(owner, tmp_path, create_report())
    page = visit(owner, "job", id=made.job_id)
    assert "Price: €0.03" in words(page)

    button(page, "Read the report").click().run()

    assert not page.exception
    assert page.query_params["id"] == made.model_id
    assert page.query_params["version"] == "1"


def test_it_can_be_started_again_with_the_same_choices(owner: Member) -> None:
    job = create_job(owner)
    with transaction() as db:
        jobs.cancel(db, owner, job_id=job.id)
    page = visit(owner, "job", id=job.id)

    button(page, "Start it again").click().run()

    assert not page.exception
    assert page.query_params["dataset"] == job.dataset_version_id


def test_another_workspace_s_job_is_not_found(owner: Member) -> None:
    page = visit(owner, "job", id=create_job(stranger()).id)

    assert not page.exception
    assert "not_found" in page.error[0].value


def test_a_viewer_watches_but_cannot_stop(owner: Member) -> None:
    job = create_job(owner)

    page = visit(colleague(owner, Role.viewer), "job", id=job.id)

    assert "Queued" in words(page)
    assert button(page, "Stop").disabled


def test_without_an_address_it_goes_where_there_is_a_choice(owner: Member) -> None:
    assert visit(owner, "job").title[0].value == "Home"
