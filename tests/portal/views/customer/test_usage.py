from datetime import timedelta
from pathlib import Path

import pytest

from services import clock
from services.accounts import keys
from services.accounts.scope import Member, Role
from services.accounts.tables import Tenant
from services.billing.period import Month
from services.db import transaction
from services.registry.tables import ModelVersion
from tests.portal.reports import create_report
from tests.portal.rows import colleague, create_model, record_predictions, stranger
from tests.portal.visitor import visit, words


@pytest.fixture
def version(owner: Member, tmp_path: Path) -> ModelVersion:
    return create_model(owner, tmp_path, create_report())


def test_an_unused_workspace_says_what_will_stand_here(owner: Member) -> None:
    page = visit(owner, "usage")

    assert not page.exception
    assert "**Nothing used in this month**" in words(page)
    assert "Trial credit left: €10.00" in words(page)


def test_the_month_is_summed_up(owner: Member, version: ModelVersion) -> None:
    record_predictions(owner, version, 5000)

    page = visit(owner, "usage")

    assert not page.exception
    text = words(page)
    assert "Spend: €1.30" in text
    assert "Predictions: 5,000" in text
    assert "Training: 5 min" in text
    assert "Trial credit left: €8.70" in text
    assert r"**€1\.30 so far**" in text


def test_a_meter_can_be_looked_at_alone(owner: Member, version: ModelVersion) -> None:
    record_predictions(owner, version, 5000)

    page = visit(owner, "usage", show="Predictions")

    assert r"5\,000 predictions" in words(page)


def test_use_is_told_by_model_key_and_member(owner: Member, version: ModelVersion) -> None:
    with transaction() as db:
        key, _ = keys.create_key(db, owner, name="crawler")
    record_predictions(owner, version, 10, key_id=key.id)
    record_predictions(owner, version, 3)
    record_predictions(owner, version, 4, days_ago=clock.now().day - 1)

    by_model = visit(owner, "usage").dataframe[0].value
    by_key = visit(owner, "usage", by="API key").dataframe[0].value

    assert by_model.set_index("Model").loc["cards, version 1", "Predictions"] == 17
    assert by_model.set_index("Model").loc["Training jobs", "Training"] == "5 min"
    assert by_key.set_index("API key").loc["crawler", "Predictions"] == 10
    assert by_key.set_index("API key").loc["From the pages", "Predictions"] == 7


def test_another_workspace_s_use_is_not_there(owner: Member, tmp_path: Path) -> None:
    create_model(stranger(), tmp_path, create_report())

    assert "**Nothing used in this month**" in words(visit(owner, "usage"))


def test_a_viewer_may_look(owner: Member, version: ModelVersion) -> None:
    page = visit(colleague(owner, Role.viewer), "usage")

    assert not page.exception
    assert "Spend: €0.30" in words(page)


def test_a_month_that_is_none_shows_the_present_one(owner: Member) -> None:
    page = visit(owner, "usage", month="2026-99")

    assert not page.exception
    assert not page.error


def test_a_meter_is_split_by_device(owner: Member, version: ModelVersion) -> None:
    page = visit(owner, "usage", show="Training", split="device")

    assert not page.exception
    assert "Click a bar to see the events that it counts." in words(page)


def month_length() -> int:
    return Month.of(clock.now(), "UTC").last.day


def test_spend_is_compared_with_the_month_before_and_told_to_its_end(
    owner: Member, version: ModelVersion
) -> None:
    with transaction() as db:
        tenant = db.get_one(Tenant, owner.tenant_id)
        tenant.created_at = clock.now() - timedelta(days=70)
    for days_ago in range(1, 60):
        record_predictions(owner, version, 5000, days_ago=days_ago)

    page = visit(owner, "usage")

    assert not page.exception
    title = "so far" if clock.now().date().day == month_length() else "This month comes to about"
    assert title in words(page)
