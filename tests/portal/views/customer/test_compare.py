from pathlib import Path

import pytest

from services.accounts.scope import Member
from services.registry.tables import ModelVersion
from services.training.reporting.answered import Answered
from services.training.reporting.evidence import Evidence
from tests.portal.reports import create_report
from tests.portal.rows import create_dataset, create_model, stranger
from tests.portal.visitor import visit, words


def create_answers(right: int) -> list[Answered]:
    return [
        Answered("test", row, f"text {row}", ["yes"], ["yes" if row < right else "no"], [0.9])
        for row in range(100)
    ]


@pytest.fixture
def two(owner: Member, tmp_path: Path) -> list[ModelVersion]:
    data = create_dataset(owner)
    return [
        create_model(
            owner, tmp_path, create_report(), version=data, evidence=Evidence(answered=create_answers(right))
        )
        for right in (80, 95)
    ]


def test_versions_are_compared_on_the_same_rows(owner: Member, two: list[ModelVersion]) -> None:
    page = visit(owner, "compare", id=two[0].model_id)

    assert not page.exception
    text = words(page)
    assert "Accuracy of version 2: 95.0 %" in text
    assert "**Version 2 is surely better than version 1**: +15.0 points" in text
    assert "It alone is right on 15 rows, the other alone on 0." in text
    disputed = page.dataframe[0].value
    assert len(disputed) == 15
    assert list(disputed.columns) == ["Row", "Text", "Truth", "Version 2", "Version 1"]


def test_a_model_of_one_version_has_nothing_to_compare(owner: Member, tmp_path: Path) -> None:
    one = create_model(owner, tmp_path, create_report())

    assert "There is one version so far" in words(visit(owner, "compare", id=one.model_id))


def test_another_workspace_s_versions_are_not_found(owner: Member, tmp_path: Path) -> None:
    foreign = create_model(stranger(), tmp_path, create_report())

    assert "not_found" in visit(owner, "compare", id=foreign.model_id).error[0].value
