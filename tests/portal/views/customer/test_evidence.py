"""What a report stands on: rows behind confusions, thresholds, doubtful labels, the learning curve."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from portal.components.suspect_list import _edits, _table
from portal.evidence import doubts
from services.accounts.scope import Member, Role
from services.datasets import files, relabelling
from services.datasets import service as datasets
from services.datasets.splits import Split
from services.db import reading
from services.registry import thresholds
from services.registry.tables import ModelVersion
from services.training.examples import ScoreExample
from services.training.recipe import Task
from services.training.reporting import calibration, evidence
from services.training.reporting.answered import Answered, units
from services.training.reporting.entity_errors import ErrorKind
from services.training.reporting.evidence import Evidence
from services.training.reporting.extrapolation import learning_curve
from services.training.reporting.report import Calibration, Errors, SuspectCount
from services.training.reporting.suspects import Suspect
from tests.portal.reports import create_entity_report, create_report
from tests.portal.rows import PLACES, colleague, create_dataset, create_model
from tests.portal.visitor import button, visit, words

LABELS = ("card_arrival", "exchange_rate")
ERRORS = Errors(mae=2.2, rmse=3.5, r2=0.4, pearson=0.7, spearman=0.8)


def create_answers() -> list[Answered]:
    """Of each split 40 rows, the surest of them right."""
    answers = []
    for split in ("validation", "test"):
        for row in range(40):
            truth, wrong = LABELS[row % 2], LABELS[1 - row % 2]
            said = wrong if row < 8 else truth
            answers.append(Answered(split, row, f"text {row}", [truth], [said], [0.5 + row / 80]))
    return answers


def create_evidence(answers: list[Answered], suspects: list[Suspect]) -> dict[str, object]:
    """The parts of a report that stand on evidence."""
    bins = calibration.reliability(*units(answers))
    right = np.random.default_rng(0).random((5, 200)) < np.array([[0.5], [0.6], [0.7], [0.8], [0.9]])
    return {
        "calibration": Calibration(temperature=1.3, error_before=0.08, error=0.02, before=bins, after=bins),
        "suspects": SuspectCount(checked=900, doubted=len(suspects), splits=["train", "validation", "test"]),
        "learning_curve": learning_curve([50, 100, 200, 400, 800], ~right),
    }


def other(labels: Iterable[str], label: str) -> str:
    return next(one for one in labels if one != label)


@pytest.fixture
def version(owner: Member, tmp_path: Path) -> ModelVersion:
    data = create_dataset(owner)
    train = files.rows(data, split=Split.train, offset=0, limit=3).rows
    suspects = [
        Suspect("train", row.row, row.text, row.labels[0], other(data.labels, row.labels[0]), 0.1, 0.8)
        for row in train
    ]
    answers = create_answers()
    report = create_report(**create_evidence(answers, suspects))
    return create_model(
        owner, tmp_path, report, version=data, evidence=Evidence(answered=answers, suspects=suspects)
    )


def test_the_pair_of_the_address_opens_its_rows(owner: Member, version: ModelVersion) -> None:
    page = visit(
        owner,
        "model",
        id=version.model_id,
        report_part="Confusions",
        truth="exchange_rate",
        predicted="card_arrival",
    )

    assert not page.exception
    rows = page.dataframe[1].value
    assert list(rows["Text"]) == ["text 7", "text 5", "text 3", "text 1"]
    assert set(rows["Truth"]) == {"exchange_rate"}


def test_all_mistakes_are_listed_and_filtered(owner: Member, version: ModelVersion) -> None:
    page = visit(owner, "model", id=version.model_id, report_part="Mistakes")
    assert "8 rows" in words(page)
    assert page.dataframe[0].value["Text"][0] == "text 7"

    page.text_input(key="mistakes_with").set_value("text 3").run()

    assert list(page.dataframe[0].value["Text"]) == ["text 3"]


def test_a_threshold_is_chosen_for_an_aim_and_kept(owner: Member, version: ModelVersion) -> None:
    page = visit(owner, "model", id=version.model_id, report_part="Confidence")
    assert "Now it answers **always**" in words(page)

    page.slider(key="threshold").set_value(0.61).run()
    assert "are answered and 100\\.0 \\% of these are right" in words(page)
    button(page, "Answer from 0.61 on").click().run()

    assert not page.exception
    with reading() as db:
        assert thresholds.of(db, owner, version_id=version.id) == 0.61


def test_several_labels_have_one_threshold_for_all_of_a_text(owner: Member, tmp_path: Path) -> None:
    answers = [
        replace(row, certainty=0.3 if row.right else 0.2) for row in create_answers() if row.row % 2 == 0
    ]
    told = create_evidence(answers, [])
    report = create_report(**told, task=Task.multi_label, metric="f1", confusion=None)
    made = create_model(owner, tmp_path, report, evidence=Evidence(answered=answers))
    page = visit(owner, "model", id=made.model_id, report_part="Confidence")

    page.slider(key="threshold").set_value(0.25).run()

    assert not page.exception
    assert "withholds its labels" in words(page)
    assert "80 \\% of rows are answered and 100\\.0 \\% of these are right" in words(page)


def test_a_viewer_chooses_no_threshold(owner: Member, version: ModelVersion) -> None:
    page = visit(
        colleague(owner, Role.viewer), "model", id=version.model_id, report_part="Confidence", threshold="0.7"
    )

    assert button(page, "Answer from 0.70 on").disabled


def test_doubtful_labels_become_a_version_of_the_data(owner: Member, version: ModelVersion) -> None:
    page = visit(owner, "model", id=version.model_id, report_part="Label errors")
    assert "3 labels of 900 rows are worth a second look" in words(page)
    assert not page.exception
    with reading() as db:
        data = datasets.versions(db, owner, dataset_id=datasets.list_datasets(db, owner)[0][0].id)
    assert len(data) == 1

    before = _table(doubts(version))
    after = before.copy()
    after.loc[0, "Take"] = True
    edits = _edits(before, after, doubts(version))
    made = relabelling.relabelled(owner, data[0], edits=edits)

    assert made.number == 2
    rows = files.rows(made, split=Split.train, offset=0, limit=100).rows
    assert next(row for row in rows if row.row == edits[0].row).labels == edits[0].labels
    assert made.splits == data[0].splits


def test_the_curve_tells_what_more_rows_would_bring(owner: Member, version: ModelVersion) -> None:
    page = visit(owner, "model", id=version.model_id, report_part="More rows")

    assert not page.exception
    assert "200 rows more" in words(page)
    assert "800 rows more" in words(page)


def test_entities_are_mistaken_by_kind(owner: Member, tmp_path: Path) -> None:
    data = create_dataset(owner, PLACES, name="Places")
    answers = [
        Answered("test", 1, "Ada in Rome", ["2:3:place"], ["0:1:place"], [0.9], [], ["Ada", "in", "Rome"]),
        Answered("test", 2, "to New York", ["1:3:place"], ["2:3:place"], [0.8], [], ["to", "New", "York"]),
    ]
    report = create_entity_report().model_copy(
        update={"entity_errors": {ErrorKind.boundary: 1, ErrorKind.missed: 1, ErrorKind.extra: 1}}
    )
    made = create_model(
        owner, tmp_path, report, version=data, name="places", evidence=Evidence(answered=answers)
    )

    page = visit(owner, "model", id=made.model_id, report_part="Mistakes", kind="Other words, right type")

    assert not page.exception
    assert "1 sentence" in words(page)
    assert "York" in words(page)
    assert "Rome" not in words(page)


def test_of_several_labels_each_may_be_mended(owner: Member, tmp_path: Path) -> None:
    doubt = Suspect("train", 3, "so sad", "anger", "joy", 0.1, 0.9, given=["anger"], better=["anger", "joy"])
    told = create_evidence(create_answers(), [doubt])
    report = create_report(**told, task=Task.multi_label, metric="f1", confusion=None)
    by_label = {score.label: 0.03 for score in report.per_class}
    report = report.model_copy(
        update={"calibration": report.calibration.model_copy(update={"by_label": by_label})}
    )
    version = create_model(owner, tmp_path, report, evidence=Evidence(suspects=[doubt]))

    labels = visit(owner, "model", id=version.model_id, report_part="Labels")
    confidence = visit(owner, "model", id=version.model_id, report_part="Confidence")
    errors = visit(owner, "model", id=version.model_id, report_part="Label errors")

    assert not any(page.exception for page in (labels, confidence, errors))
    assert list(labels.dataframe[0].value["Confidence is off by"]) == [3.0, 3.0]
    assert "Every label of every text is an answer" in words(confidence)
    assert not confidence.slider
    before = _table([doubt])
    after = before.copy()
    after.loc[0, "Take"] = True
    (edit,) = _edits(before, after, [doubt])
    assert (edit.row, edit.labels) == (3, ("anger", "joy"))


def test_doubted_words_become_other_tags_of_their_sentences(owner: Member, tmp_path: Path) -> None:
    data = create_dataset(owner, PLACES, name="Places")
    train = files.rows(data, split=Split.train, offset=0, limit=2).rows
    suspects = [
        Suspect(
            "train",
            row.row,
            row.text,
            tag,
            better,
            0.1,
            0.9,
            tokens=list(row.tokens),
            word=word,
            given=list(row.tags),
        )
        for row in train
        for word, tag, better in ((0, "B-person", "O"), (3, "B-place", "O"), (1, "O", "B-place"))
    ]
    told = create_evidence(create_answers(), suspects)
    report = create_entity_report().model_copy(update=told)
    version = create_model(
        owner, tmp_path, report, version=data, name="places", evidence=Evidence(suspects=suspects)
    )

    page = visit(owner, "model", id=version.model_id, report_part="Label errors")

    assert not page.exception
    assert "6 words of 900 sentences are worth a second look" in words(page)
    assert "⟦Ann" in _table(suspects)["Text"][0]
    before = _table(suspects)
    after = before.copy()
    # Two words of the first sentence by a tick, one of them the beginning of a place of two words.
    after.loc[0, "Take"] = after.loc[1, "Take"] = True
    (edit,) = _edits(before, after, suspects)
    assert edit.labels == ("O", "O", "O", "O", "B-place")
    made = relabelling.relabelled(owner, data, edits=[edit])
    rows = files.rows(made, split=Split.train, offset=0, limit=100).rows
    assert next(row for row in rows if row.row == edit.row).tags == edit.labels


def test_of_scores_the_furthest_off_come_first_and_are_mended_by_number(
    owner: Member, tmp_path: Path
) -> None:
    doubt = Suspect("train", 3, "a fine hammer", "1", "8.25", 0.001, 0.999)
    scored = {row: float(row) for row in (1, 2, 3)}
    rows = [ScoreExample(row, f"text {row}", "", score) for row, score in scored.items()]
    answers = evidence.of_scores({"test": rows}, {"test": np.array([1.5, 2.0, 9.0])})
    told = create_evidence(create_answers(), [doubt]) | {"calibration": None}
    report = create_report(
        **told, task=Task.regression, metric="r2", per_class=[], confusion=None, errors=ERRORS
    )
    version = create_model(owner, tmp_path, report, evidence=replace(answers, suspects=[doubt]))

    mistakes = visit(owner, "model", id=version.model_id, report_part="Mistakes")
    errors = visit(owner, "model", id=version.model_id, report_part="Label errors")
    more = visit(owner, "model", id=version.model_id, report_part="More rows")

    assert not any(page.exception for page in (mistakes, errors, more))
    assert list(mistakes.dataframe[0].value["Off by"])[:2] == [6.0, 0.5]
    before = _table([doubt], scores=True)
    after = before.copy()
    after.loc[0, "Label"] = 7.5
    (edit,) = _edits(before, after, [doubt])
    assert edit.labels == ("7.5",)
