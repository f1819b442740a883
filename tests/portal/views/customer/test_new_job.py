from decimal import Decimal

import pytest

from services.accounts.scope import Member, Role
from services.billing import service as billing
from services.billing.tables import CreditGrant
from services.datasets.tables import DatasetVersion
from services.db import reading, transaction
from services.jobs import service as jobs
from services.jobs.tables import Job
from services.training.recipe import Preset, Recipe, Task
from tests.portal.rows import PLACES, colleague, create_dataset, create_job, stranger
from tests.portal.visitor import button, visit, words


def submitted(member: Member) -> list[Job]:
    with reading() as db:
        return jobs.recent(db, member)


@pytest.fixture
def version(owner: Member) -> DatasetVersion:
    return create_dataset(owner)


def test_without_data_it_leads_to_data_sets(owner: Member) -> None:
    page = visit(owner, "new_job")

    assert not page.exception
    assert "**No data set to learn from yet**" in words(page)
    assert button(page, "Add a data set")


def test_time_and_price_are_shown_before_anything_starts(owner: Member, version: DatasetVersion) -> None:
    page = visit(owner, "new_job", dataset=version.id)

    assert not page.exception
    text = words(page)
    for said in (
        "Quick",
        "Best",
        "Custom",
        "**Costs at most** €",
        "**Takes**",
        "Ready",
        "**Trial credit left** €10.00",
    ):
        assert said in text
    assert submitted(owner) == []


def test_one_press_starts_one_job_and_shows_it(owner: Member, version: DatasetVersion) -> None:
    page = visit(owner, "new_job", dataset=version.id)

    button(page, "Start training").click().run()

    assert not page.exception
    (job,) = submitted(owner)
    assert (job.model_name, job.recipe["preset"]) == ("cards", "quick")
    assert page.query_params["id"] == job.id
    assert page.title[0].value == "cards"


def test_a_second_press_on_the_same_page_finds_the_same_job(owner: Member, version: DatasetVersion) -> None:
    page = visit(owner, "new_job", dataset=version.id)
    button(page, "Start training").click().run()
    page.switch_page("views/customer/new_job.py")
    page.query_params["dataset"] = version.id
    page.run()

    button(page, "Start training").click().run()

    assert not page.exception
    assert len(submitted(owner)) == 1


def test_the_preset_stands_in_the_address(owner: Member, version: DatasetVersion) -> None:
    page = visit(owner, "new_job", dataset=version.id)

    button(page, "Choose Best").click().run()
    button(page, "Start training").click().run()

    (job,) = submitted(owner)
    assert job.recipe["preset"] == Preset.best


def test_few_shot_is_recommended_where_labels_have_few_rows(owner: Member, version: DatasetVersion) -> None:
    page = visit(owner, "new_job", dataset=version.id)

    assert "Fits your data" in words(page)
    assert "Below 50, Few-shot mostly gets more out of them" in words(page)
    button(page, "Choose Few-shot").click().run()
    button(page, "Start training").click().run()

    (job,) = submitted(owner)
    assert job.recipe["preset"] == Preset.few_shot


def test_few_shot_is_not_offered_for_entities(owner: Member) -> None:
    places = create_dataset(owner, PLACES, name="Places")

    page = visit(owner, "new_job", dataset=places.id, preset="few-shot")

    assert not page.exception
    assert "Few-shot" not in words(page)


def test_custom_opens_the_settings_and_says_what_differs(owner: Member, version: DatasetVersion) -> None:
    page = visit(owner, "new_job", dataset=version.id, preset="custom")
    epochs = next(box for box in page.number_input if box.label == "Epochs")

    epochs.set_value(7).run()
    button(page, "Start training").click().run()

    (job,) = submitted(owner)
    assert job.recipe["hyperparameters"]["epochs"] == 7


def test_a_search_spends_what_was_allowed_and_the_quote_holds_it(
    owner: Member, version: DatasetVersion
) -> None:
    page = visit(owner, "new_job", dataset=version.id, preset="custom")

    page.toggle[0].set_value(True).run()
    minutes = next(box for box in page.number_input if box.label == "Minutes")
    minutes.set_value(7).run()

    assert not page.exception
    assert "a search of at most 7 min" in words(page)
    button(page, "Start training").click().run()
    (job,) = submitted(owner)
    assert job.recipe["search_seconds"] == 420
    assert job.quoted_seconds_high > 420


def test_a_search_may_be_bounded_by_money(owner: Member, version: DatasetVersion) -> None:
    page = visit(owner, "new_job", dataset=version.id, preset="custom")
    page.toggle[0].set_value(True).run()

    page.segmented_control[0].set_value("EUR").run()
    amount = next(box for box in page.number_input if box.label == "Amount in EUR")
    amount.set_value(0.10).run()
    button(page, "Start training").click().run()

    assert not page.exception
    (job,) = submitted(owner)
    recipe = Recipe.model_validate(job.recipe)
    assert recipe.search_seconds is not None
    with reading() as db:
        spent = billing.training_charge(
            db, owner, seconds=Decimal(recipe.search_seconds), device_class=job.quoted_device_class
        )
    assert 90_000 <= spent.micros <= 100_000


def test_what_differs_from_the_defaults_is_said(owner: Member, version: DatasetVersion) -> None:
    page = visit(owner, "new_job", dataset=version.id, preset="custom")
    epochs = next(box for box in page.number_input if box.label == "Epochs")

    epochs.set_value(7).run()

    assert "Epochs 7 instead of 2" in words(page)


def test_the_task_comes_from_the_data(owner: Member) -> None:
    places = create_dataset(owner, PLACES, name="Places")
    page = visit(owner, "new_job", dataset=places.id)

    button(page, "Start training").click().run()

    (job,) = submitted(owner)
    assert job.recipe["task"] == "token-classification"


def test_a_name_that_programs_cannot_say_is_the_one_thing_missing(
    owner: Member, version: DatasetVersion
) -> None:
    page = visit(owner, "new_job", dataset=version.id)

    page.text_input[0].set_value("My Model!").run()

    assert not page.exception
    assert "cannot name a model" in words(page).replace("\\", "")
    assert "Not ready" in words(page)
    assert button(page, "Start training").disabled


def test_a_spent_trial_is_said_before_the_button(owner: Member, version: DatasetVersion) -> None:
    with transaction() as db:
        for grant in db.exec(CreditGrant.__table__.select()):  # type: ignore[attr-defined]
            db.get_one(CreditGrant, grant.id).amount = 0
    page = visit(owner, "new_job", dataset=version.id)

    assert "trial credit" in words(page)
    assert button(page, "Start training").disabled


def test_a_model_that_exists_gets_its_next_version(owner: Member, version: DatasetVersion) -> None:
    create_job(owner, version, model_name="cards")

    page = visit(owner, "new_job", dataset=version.id)

    assert "a new model, cards" in words(page)


def test_another_workspace_s_data_is_not_found(owner: Member, version: DatasetVersion) -> None:
    foreign = create_dataset(stranger())

    page = visit(owner, "new_job", dataset=foreign.id)

    assert not page.exception
    assert "not_found" in page.error[0].value
    assert not [one for one in page.button if one.label == "Start training"]


def test_a_viewer_sees_prices_but_cannot_start(owner: Member, version: DatasetVersion) -> None:
    page = visit(colleague(owner, Role.viewer), "new_job", dataset=version.id)

    assert "**Costs at most** €" in words(page)
    start = button(page, "Start training")
    assert start.disabled
    assert "needs the role editor" in start.help


def test_data_for_a_task_that_no_run_learns_yet_says_so(owner: Member, version: DatasetVersion) -> None:
    with transaction() as db:
        db.get_one(DatasetVersion, version.id).task = Task.unlabelled

    page = visit(owner, "new_job", dataset=version.id)

    assert not page.exception
    assert "task_not_trainable" in page.error[0].value
    assert not [widget for widget in page.button if widget.label == "Start training"]
