"""The operators' overview: everything for them, nothing for anybody else."""

from datetime import timedelta
from pathlib import Path

import pytest

from services import clock
from services.accounts.scope import Member, Staff, StaffRole
from services.accounts.tables import StaffGrant, User
from services.db import transaction
from services.jobs.tables import Worker
from tests import factories
from tests.portal import rows
from tests.portal.reports import create_report
from tests.portal.visitor import by_itself, opened_by, words


def test_the_month_of_all_workspaces(owner: Member, operator: Staff, tmp_path: Path) -> None:
    version = rows.create_model(owner, tmp_path, create_report())
    rows.record_predictions(owner, version, 1500)
    rows.stranger()

    app = opened_by(operator.user_id)

    assert not app.exception
    metrics = {metric.label: metric.value for metric in app.metric}
    assert (metrics["Revenue this month"], metrics["Active workspaces"]) == ("€0.00", "1")


def test_a_queue_that_nobody_serves_needs_attention(owner: Member, operator: Staff) -> None:
    rows.create_job(owner)

    written = words(opened_by(operator.user_id))

    assert "No worker is alive and 1 job waits" in written
    assert "No workers" in written


def test_workers_are_shown_alive_or_silent(owner: Member, operator: Staff) -> None:
    now = clock.now()
    with transaction() as db:
        for host, seen_at in (("gpu-1", now), ("cpu-3", now - timedelta(minutes=42))):
            db.add(Worker(host=host, process=1, device="cpu", device_name="EPYC", seen_at=seen_at))

    app = opened_by(operator.user_id)

    assert {metric.label: metric.value for metric in app.metric}["Workers alive"] == "1"
    assert "fell silent 42 min ago" in words(app).replace("\\", "")
    assert any("gpu" in element.value for element in app.markdown)


def test_failures_name_the_workspace_and_the_reason(owner: Member, operator: Staff) -> None:
    job = rows.create_job(owner)
    claimed = rows.claim()
    from services.jobs import queue

    with transaction() as db:
        queue.fail(db, claimed, code="nan_loss", message="The loss became infinite.")

    written = words(opened_by(operator.user_id))

    assert "1 job failed in the last 24 hours" in written
    assert "The loss became infinite" in written
    assert job.model_name in written


def test_the_page_of_the_operators_leads_customers_home(owner: Member) -> None:
    app = opened_by(owner.user_id)

    assert app.title[0].value == "Home"
    with pytest.raises(ValueError, match="overview"):
        app.switch_page("views/admin/overview.py")


@pytest.mark.parametrize(
    ("staff_role", "sees"), [(None, False), (StaffRole.sales, False), (StaffRole.admin, True)]
)
def test_the_page_checks_by_itself(owner: Member, staff_role: StaffRole | None, sees: bool) -> None:
    with transaction() as db:
        user = db.get_one(User, owner.user_id)
        if staff_role is not None:
            db.add(StaffGrant(email=user.email, role=staff_role))
    app = by_itself(owner.user_id, "admin/overview")

    assert bool(app.exception) is not sees
    assert bool(app.title or app.metric or app.dataframe) is sees


def test_sales_people_have_no_page_here_yet(empty_home: Path) -> None:
    with transaction() as db:
        user = factories.create_user(db)
        db.add(StaffGrant(email=user.email, role=StaffRole.sales))

    app = opened_by(user.id)

    assert not app.exception
    assert "You belong to no workspace" in words(app)
    assert [one.label for one in app.button] == ["Sign out"]


def test_operators_who_are_also_customers_see_both(owner: Member) -> None:
    with transaction() as db:
        user = db.get_one(User, owner.user_id)
        db.add(StaffGrant(email=user.email, role=StaffRole.admin))
    app = opened_by(owner.user_id)
    assert app.title[0].value == "Home"

    app.switch_page("views/admin/overview.py").run()

    assert app.title[0].value == "Overview"
