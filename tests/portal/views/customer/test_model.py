from pathlib import Path

import pytest

from services.accounts.scope import Member, Role
from services.db import reading
from services.registry import service as registry
from services.registry.tables import ModelVersion
from tests.portal.reports import create_entity_report, create_report
from tests.portal.rows import PLACES, colleague, create_dataset, create_model, stranger
from tests.portal.visitor import button, visit, words


@pytest.fixture
def first(owner: Member, tmp_path: Path) -> ModelVersion:
    return create_model(owner, tmp_path, create_report())


def test_models_are_listed_with_their_quality(owner: Member, first: ModelVersion) -> None:
    page = visit(owner, "models")

    assert not page.exception
    assert "cards" in words(page)
    assert "90.0 %" in words(page)


def test_a_workspace_without_models_is_told_how_to_get_one(owner: Member) -> None:
    page = visit(owner, "models")

    assert "**No models yet**" in words(page)
    assert button(page, "Train a model")


def test_the_report_begins_with_figure_interval_and_test_size(owner: Member, first: ModelVersion) -> None:
    page = visit(owner, "model", id=first.model_id)

    assert not page.exception
    text = words(page)
    assert "Accuracy on the test split: 90.0 %" in text
    assert "Tested on: 500 rows" in text
    assert "**Better than keywords, sure: 10.0 points.**" in text
    assert r"10\.0 points better than the best simple method" in text
    notes = [metric.delta for metric in page.metric]
    assert "88.0 % to 92.0 %, 95 % sure" in notes


def test_each_label_has_its_scores_worst_first(owner: Member, first: ModelVersion) -> None:
    page = visit(owner, "model", id=first.model_id)

    table = page.dataframe[0].value
    assert list(table.columns) == ["Label", "Precision", "Recall", "F1", "Support"]
    assert list(table["Label"]) == ["exchange_rate", "card_arrival"]


def test_the_most_confused_pairs_come_before_the_matrix(owner: Member, first: ModelVersion) -> None:
    page = visit(owner, "model", id=first.model_id, report_part="Confusions")

    pairs = page.dataframe[0].value
    assert list(pairs["Rows"]) == [38, 12]
    assert (pairs["Truth"][0], pairs["Predicted"][0]) == ("card_arrival", "exchange_rate")
    assert r"**50 of 500 test rows got the wrong label**" in words(page)


def test_mistakes_name_their_rows(owner: Member, first: ModelVersion) -> None:
    page = visit(owner, "model", id=first.model_id, report_part="Mistakes")

    mistakes = page.dataframe[0].value
    assert (mistakes["Row"][0], mistakes["Text"][0]) == (7, "is it there yet")


def test_the_origin_goes_down_to_hash_seed_and_cost(owner: Member, first: ModelVersion) -> None:
    page = visit(owner, "model", id=first.model_id, report_part="Origin")

    table = page.table[0].value.iloc[:, 0].to_dict()
    assert table["Rows"] == "40 in the file = 40 used + 0 left out"
    assert table["Seed"] == "42"
    assert table["Cost"] == "€0.03"
    assert "0" * 64 in table["Data hash"]
    assert "Cards, version 1" in words(page)


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        ({"diverged_at_step": 1200}, "at step 1,200, as it went wrong; this is the best until then"),
        ({"stopped_at_step": 60}, "at step 60, as you asked; this is the best until then"),
    ],
)
def test_a_model_of_a_run_that_ended_early_says_why(
    owner: Member, tmp_path: Path, ended: dict[str, int], told: str
) -> None:
    made = create_model(owner, tmp_path, create_report(**ended))

    page = visit(owner, "model", id=made.model_id, report_part="Origin")

    assert page.table[0].value.iloc[:, 0].to_dict()["Ended"] == told


def test_entity_models_report_types_and_have_no_matrix(owner: Member, tmp_path: Path) -> None:
    version = create_dataset(owner, PLACES, name="Places")
    made = create_model(owner, tmp_path, create_entity_report(), version=version, name="places")

    page = visit(owner, "model", id=made.model_id)

    assert not page.exception
    assert "F1 on the test split: 60.0 %" in words(page)
    assert [tab.label for tab in page.tabs] == ["Entity types", "Mistakes", "Origin"]


def test_production_moves_when_the_person_agrees(owner: Member, first: ModelVersion, tmp_path: Path) -> None:
    second = create_model(
        owner, tmp_path, create_report(value=0.95), version=create_dataset(owner, name="More")
    )
    page = visit(owner, "model", id=first.model_id)
    assert "+5.0 points" in words(page)

    page.button(key=f"promote:{second.id}").click().run()
    page.button(key="confirm_go").click().run()

    assert not page.exception
    with reading() as db:
        assert registry.production(db, owner)[first.model_id] == second.id


def test_an_older_version_keeps_its_address(owner: Member, first: ModelVersion, tmp_path: Path) -> None:
    create_model(owner, tmp_path, create_report(value=0.95), version=create_dataset(owner, name="More"))

    page = visit(owner, "model", id=first.model_id, version="1")

    assert page.subheader[0].value == "Report of version 1"
    assert "Accuracy on the test split: 90.0 %" in words(page)


def test_another_workspace_s_model_is_not_found(owner: Member, tmp_path: Path) -> None:
    foreign = create_model(stranger(), tmp_path, create_report())

    page = visit(owner, "model", id=foreign.model_id)

    assert not page.exception
    assert "not_found" in page.error[0].value


def test_a_viewer_reads_but_cannot_move_production(
    owner: Member, first: ModelVersion, tmp_path: Path
) -> None:
    create_model(owner, tmp_path, create_report(), version=create_dataset(owner, name="More"))

    page = visit(colleague(owner, Role.viewer), "model", id=first.model_id)

    assert button(page, "Move production here").disabled
    assert "Accuracy on the test split: 90.0 %" in words(page)


def test_without_an_address_it_goes_where_there_is_a_choice(owner: Member) -> None:
    assert visit(owner, "model").title[0].value == "Models"
