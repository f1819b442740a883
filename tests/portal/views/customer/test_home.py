"""Home: what to do next, and how things stand."""

from pathlib import Path

from services.accounts import keys
from services.accounts.scope import Member, Role
from services.db import transaction
from services.jobs import service as jobs
from tests.portal import rows
from tests.portal.reports import create_report
from tests.portal.visitor import button, visit, words


def metrics(member: Member) -> dict[str, str]:
    return {metric.label: metric.value for metric in visit(member, "home").metric}


def test_a_new_workspace_is_asked_for_its_text(owner: Member) -> None:
    app = visit(owner, "home")

    assert not app.exception
    assert "Bring your labelled text" in words(app)
    assert "No jobs yet" in words(app)
    assert "No models yet" in words(app)
    assert metrics(owner) == {
        "Models live": "0",
        "Predictions this month": "0",
        "Spend this month": "€0.00",
        "Jobs running": "0",
    }


def test_the_one_primary_button_leads_to_the_next_step(owner: Member) -> None:
    app = visit(owner, "home")

    button(app, "Add a data set").click().run()

    assert not app.exception
    assert app.title[0].value == "Data sets"


def test_there_is_one_primary_button(owner: Member) -> None:
    assert sum(one.proto.type == "primary" for one in visit(owner, "home").button) == 1


def test_the_figures_are_those_of_the_month(owner: Member, tmp_path: Path) -> None:
    version = rows.create_model(owner, tmp_path, create_report())
    rows.record_predictions(owner, version, 1500)

    assert metrics(owner) == {
        "Models live": "1",
        "Predictions this month": "1.5k",
        # 300 device-seconds at €0.001 and 1,500 predictions at €0.20 a thousand.
        "Spend this month": "€0.60",
        "Jobs running": "0",
    }


def test_jobs_and_models_lead_to_their_pages(owner: Member, tmp_path: Path) -> None:
    version = rows.create_model(owner, tmp_path, create_report(value=0.934))

    app = visit(owner, "home")

    assert {("job", f"id={version.job_id}"), ("model", f"id={version.model_id}")} <= {
        (link.proto.page, link.proto.query_string) for link in app.page_link
    }
    assert "93.4 %" in words(app)
    assert "€0.03" in words(app)


def test_a_running_job_shows_how_far_it_is(owner: Member) -> None:
    job = rows.create_job(owner)
    rows.claim()

    written = words(visit(owner, "home"))

    assert "0 %" in written
    assert "Watch the job" in [one.label for one in visit(owner, "home").button]
    with transaction() as db:
        jobs.cancel(db, owner, job_id=job.id)
    badges = [element.value for element in visit(owner, "home").markdown]
    assert any("Stopping" in badge for badge in badges)


def test_an_integrated_workspace_is_asked_to_get_better(owner: Member, tmp_path: Path) -> None:
    version = rows.create_model(owner, tmp_path, create_report())
    rows.record_predictions(owner, version, 1)
    assert "Call the model from your own code" in words(visit(owner, "home"))
    with transaction() as db:
        keys.create_key(db, owner, name="server")

    assert "Make the next version better" in words(visit(owner, "home"))


def test_a_viewer_of_an_empty_workspace_is_asked_for_nothing(owner: Member) -> None:
    app = visit(rows.colleague(owner, Role.viewer), "home")

    assert not app.exception
    assert not [one for one in app.button if one.proto.type == "primary"]


def test_nothing_of_another_workspace_is_shown(owner: Member, tmp_path: Path) -> None:
    theirs = rows.stranger()
    rows.create_model(theirs, tmp_path, create_report(), name="secret-model")

    assert "secret-model" in words(visit(theirs, "home"))
    assert "secret-model" not in words(visit(owner, "home"))
