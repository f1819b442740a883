from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Selectbox

from services.accounts.scope import Member, Role
from services.datasets import service as datasets
from services.datasets.tables import Dataset, DatasetVersion
from services.db import reading
from services.training.recipe import Task
from tests.portal.reports import create_report
from tests.portal.rows import (
    CARDS,
    PLACES,
    colleague,
    create_dataset,
    create_job,
    create_model,
    create_upload,
    stranger,
)
from tests.portal.visitor import button, visit, words


def known(member: Member) -> list[tuple[Dataset, DatasetVersion]]:
    with reading() as db:
        return datasets.list_datasets(db, member)


def box(page: AppTest, label: str) -> Selectbox:
    return next(one for one in page.selectbox if one.label == label)


def test_our_guess_is_shown_to_be_checked(owner: Member) -> None:
    page = visit(owner, "dataset", upload=create_upload(owner).id)

    assert not page.exception
    chosen = {box.label: box.value for box in page.selectbox}
    assert chosen["Separator"] == ","
    assert (chosen["text"], chosen["label"]) == ("text", "label")
    assert {metric.label: metric.value for metric in page.metric} == {
        "Rows in the file": "40",
        "Rows used": "40",
        "Rows left out": "0",
        "Different labels": "2",
    }


def test_a_correction_changes_what_would_be_made(owner: Member) -> None:
    content = b"id;message;intent\n" + b"".join(b"%d;hello there %d;greet\n" % (n, n) for n in range(9))
    content += b"".join(b"1%d;good bye %d;leave\n" % (n, n) for n in range(9))
    page = visit(owner, "dataset", upload=create_upload(owner, content).id)

    box(page, "id").select("label").run()

    assert not page.exception
    assert {metric.label: metric.value for metric in page.metric}["Different labels"] == "18"
    assert box(page, "intent").value == "unused"


def test_a_column_that_is_needed_is_asked_for(owner: Member) -> None:
    page = visit(owner, "dataset", upload=create_upload(owner).id)

    box(page, "label").select("unused").run()

    assert not page.exception
    assert "column_missing" in page.error[0].value


def test_everything_that_was_guessed_can_be_corrected(owner: Member) -> None:
    rows = b"".join(b"'it''s %d; or so';%d;%d\n" % (at, at % 2, at % 3) for at in range(20))
    page = visit(owner, "dataset", upload=create_upload(owner, b"text;label;more\n" + rows).id)
    guessed = {name: box(page, name).value for name in ("Encoding", "Separator", "Cells are", "First row")}

    box(page, "What is to be learned").select(Task.multi_label).run()
    box(page, "more").select("label").run()
    page.text_input[0].set_value("none, some, many").run()

    assert guessed == {"Encoding": "utf-8", "Separator": ";", "Cells are": "'", "First row": True}
    assert not page.exception
    assert "several labels for each text" in words(page)
    assert "it's 3; or so" in str(page.dataframe[0].value) or "some" in words(page)
    assert {metric.label: metric.value for metric in page.metric}["Different labels"] == "3"


def test_one_column_may_be_texts_without_labels(owner: Member) -> None:
    content = b"".join(b"a text of words number %d\n" % at for at in range(20))
    page = visit(owner, "dataset", upload=create_upload(owner, content).id)
    refused = page.error[0].value

    page.toggle[0].set_value(True).run()

    assert "one_column" in refused
    assert not page.exception
    assert {metric.label: metric.value for metric in page.metric}["Rows used"] == "20"


def test_rows_left_out_are_shown_with_reason_and_number(owner: Member) -> None:
    page = visit(owner, "dataset", upload=create_upload(owner, CARDS + b"no label,\n,card_arrival\n").id)

    assert "**42** rows in the file = **40** used + **2** left out" in words(page)
    table = page.dataframe[-1].value
    assert set(table["Reason"]) == {"The label is missing.", "The text is empty."}
    assert set(table["Row numbers"]) == {"42", "43"}


def test_it_becomes_a_data_set_with_one_press(owner: Member) -> None:
    page = visit(owner, "dataset", upload=create_upload(owner).id)
    page.text_input[0].set_value("My cards").run()

    button(page, "Create data set").click().run()

    assert not page.exception
    ((dataset, version),) = known(owner)
    assert (dataset.name, version.rows_used) == ("My cards", 40)
    assert page.query_params["id"] == dataset.id
    assert "Train a model" in [one.label for one in page.button]


def test_a_file_can_become_the_next_version(owner: Member) -> None:
    first = create_dataset(owner)
    page = visit(owner, "dataset", upload=create_upload(owner, CARDS + b"one more,card_arrival\n").id)
    target = next(box for box in page.selectbox if box.label == "Make of it")

    target.select(first.dataset_id).run()
    button(page, "Add version").click().run()

    assert not page.exception
    ((_, latest),) = known(owner)
    assert (latest.number, latest.rows_used) == (2, 41)


def test_a_taken_name_is_refused_and_nothing_is_made(owner: Member) -> None:
    create_dataset(owner, name="Cards")
    page = visit(owner, "dataset", upload=create_upload(owner).id)
    page.text_input[0].set_value("Cards").run()

    button(page, "Create data set").click().run()

    assert "dataset_name_taken" in page.error[0].value
    assert len(known(owner)) == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"text,label\nfirst,same\nsecond,same\nthird,same\n", "one_class"),
        (b"just one column\nof words\n", "one_column"),
        (b"text,label\n,a\n,b\n", "no_usable_rows"),
    ],
)
def test_what_cannot_be_learned_from_is_said_before_it_is_tried(
    owner: Member, content: bytes, code: str
) -> None:
    page = visit(owner, "dataset", upload=create_upload(owner, content).id)

    assert not page.exception
    assert code in page.error[0].value
    assert all(one.disabled for one in page.button if one.label == "Create data set")
    assert known(owner) == []


def test_hostile_labels_are_shown_as_letters(owner: Member) -> None:
    content = CARDS + b"".join(b"text %d,:red[x] **y**\n" % number for number in range(90))
    page = visit(owner, "dataset", id=create_dataset(owner, content).dataset_id)

    assert not page.exception
    assert ":red[x]" not in words(page)
    assert r"\*\*y\*\*" in words(page)


def test_entities_are_marked_in_their_sentences(owner: Member) -> None:
    version = create_dataset(owner, PLACES, name="Places")

    page = visit(owner, "dataset", id=version.dataset_id, part="Rows")

    assert not page.exception
    assert ":orange-background[New York" in words(page)
    assert ":blue-background[Ann" in words(page)


def test_rows_can_be_browsed_by_split_and_label(owner: Member) -> None:
    version = create_dataset(owner)

    page = visit(owner, "dataset", id=version.dataset_id, part="Rows", split="Test", label="card_arrival")

    assert not page.exception
    rows = page.dataframe[0].value
    assert len(rows) == version.labels["card_arrival"]["test"]
    assert set(rows["Label"]) == {"card_arrival"}


def test_the_next_step_is_to_train(owner: Member) -> None:
    version = create_dataset(owner)
    page = visit(owner, "dataset", id=version.dataset_id)

    button(page, "Train a model").click().run()

    assert not page.exception
    assert page.query_params["dataset"] == version.id
    assert page.title[0].value == "New job"


def test_labels_in_training_alone_are_named(owner: Member) -> None:
    version = create_dataset(owner, CARDS + b"only once,oddity\n")

    page = visit(owner, "dataset", id=version.dataset_id)

    assert "oddity" in page.warning[0].value
    assert "too rare to be tested" in words(page)


@pytest.mark.parametrize("name", ["id", "upload"])
def test_what_belongs_to_another_workspace_is_not_found(owner: Member, name: str) -> None:
    other = stranger()
    ids = {"id": create_dataset(other).dataset_id, "upload": create_upload(other).id}

    foreign = visit(owner, "dataset", **{name: ids[name]})
    random = visit(owner, "dataset", **{name: ids[name][:-4] + "0000"})

    assert "not_found" in foreign.error[0].value
    assert foreign.error[0].value == random.error[0].value
    assert not foreign.exception


def test_a_version_tells_what_changed_since_the_one_before(owner: Member) -> None:
    first = create_dataset(owner)
    page = visit(owner, "dataset", upload=create_upload(owner, CARDS + b"one more,card_arrival\n").id)
    box(page, "Make of it").select(first.dataset_id).run()
    button(page, "Add version").click().run()

    changes = visit(owner, "dataset", id=first.dataset_id, part="Changes")

    assert not changes.exception
    assert "**Since version 1:** 1 row came" in words(changes)


def test_a_data_set_without_jobs_can_be_deleted(owner: Member) -> None:
    page = visit(owner, "dataset", id=create_dataset(owner).dataset_id)

    button(page, "Delete").click().run()
    page.button(key="confirm_go").click().run()

    assert not page.exception
    assert known(owner) == []


def test_a_data_set_that_something_trains_on_is_kept(owner: Member) -> None:
    version = create_dataset(owner)
    create_job(owner, version)
    page = visit(owner, "dataset", id=version.dataset_id)

    button(page, "Delete").click().run()
    page.button(key="confirm_go").click().run()

    assert "dataset_in_use" in page.error[0].value
    assert len(known(owner)) == 1


def test_deleting_says_which_models_came_of_it_and_leads_to_their_reports(
    owner: Member, tmp_path: Path
) -> None:
    version = create_dataset(owner)
    create_model(owner, tmp_path, create_report(), version=version)
    page = visit(owner, "dataset", id=version.dataset_id)

    button(page, "Delete").click().run()
    said = words(page)
    page.button(key="confirm_go").click().run()
    after = visit(owner, "dataset", id=version.dataset_id)

    assert "1 model version came from it: cards version 1" in said
    assert known(owner) == []
    assert not after.exception
    assert "The data was deleted on" in words(after)
    assert "The report of cards, version 1" in words(after)


def test_a_viewer_sees_but_cannot_change(owner: Member) -> None:
    viewer = colleague(owner, Role.viewer)
    saved, waiting = create_dataset(owner), create_upload(owner)

    page = visit(viewer, "dataset", id=saved.dataset_id)
    check = visit(viewer, "dataset", upload=waiting.id)

    assert [one.disabled for one in page.button if one.label in {"Delete", "Train a model"}] == [True, True]
    assert [one.disabled for one in check.button if one.label in {"Discard", "Create data set"}] == [
        True,
        True,
    ]


def test_without_an_address_it_goes_where_there_is_a_choice(owner: Member) -> None:
    assert visit(owner, "dataset").title[0].value == "Data sets"


TWICE = CARDS + CARDS.splitlines()[1] + b"\n"


def test_a_finding_is_fixed_undone_and_fixed_again_until_it_is_frozen(owner: Member) -> None:
    page = visit(owner, "dataset", upload=create_upload(owner, TWICE).id)
    assert "What to do." in words(page)

    button(page, "Keep the first of each").click().run()
    fixed = words(page)
    button(page, "Undo").click().run()
    undone = words(page)
    button(page, "Keep the first of each").click().run()
    button(page, "Create data set").click().run()

    assert "rows 41 → 40" in fixed
    assert "rows 41 → 40" not in undone
    ((_, version),) = known(owner)
    assert version.dropped == {"left_out_by_fix": 1}
    assert [change["fix"]["name"] for change in version.changes] == ["dedupe"]


def test_a_reload_shows_what_was_done(owner: Member) -> None:
    upload = create_upload(owner, TWICE)
    page = visit(owner, "dataset", upload=upload.id)
    button(page, "Keep the first of each").click().run()

    assert "rows 41 → 40" in words(visit(owner, "dataset", upload=upload.id))


def test_a_viewer_sees_the_findings_and_fixes_nothing(owner: Member) -> None:
    upload = create_upload(owner, TWICE)

    page = visit(colleague(owner, Role.viewer), "dataset", upload=upload.id)

    assert not page.exception
    assert button(page, "Keep the first of each").disabled


def test_a_version_is_mended_into_its_next(owner: Member) -> None:
    version = create_dataset(owner, TWICE)
    page = visit(owner, "dataset", id=version.dataset_id)

    button(page, "Mend").click().run()

    assert not page.exception
    assert page.query_params["upload"] == version.upload_id
    assert page.query_params["into"] == version.dataset_id


SEVERAL = b"text,labels\n" + b"".join(
    b'well done %d,"joy,pride"\nhow sad %d,grief\nso %d,joy\nproud %d,pride\n' % (n, n, n, n)
    for n in range(9)
)
SCORES = b"sentence1,sentence2,score\n" + b"".join(
    b"a cat %d,one cat %d,%d.5\n" % (n, n, n % 5) for n in range(30)
)
TALKS = b"".join(
    b'{"messages": [{"role": "user", "content": "Hi %d"}, {"role": "assistant", "content": "Hello."}]}\n' % n
    for n in range(30)
)


@pytest.mark.parametrize(
    ("content", "words_of_task"),
    [(SEVERAL, "several labels"), (SCORES, "scores of texts"), (TALKS, "conversations")],
    ids=["several labels", "scores", "conversations"],
)
def test_data_for_every_task_is_checked_kept_and_shown(
    owner: Member, content: bytes, words_of_task: str
) -> None:
    page = visit(owner, "dataset", upload=create_upload(owner, content).id)
    assert not page.exception
    assert f"Makes a data set for **{words_of_task}" in words(page)

    button(page, "Create data set").click().run()

    assert not page.exception
    ((dataset, version),) = known(owner)
    for part in ("Labels", "Rows", "Left out", "Origin"):
        assert not visit(owner, "dataset", id=dataset.id, part=part).exception
    assert version.rows_used == version.rows_in


def test_columns_that_were_corrected_stay_so_with_their_fixes(owner: Member) -> None:
    content = b"id;message;intent\n" + b"".join(b"%d;hello there %d;greet\n" % (n % 3, n) for n in range(9))
    content += b"".join(b"%d;good bye %d;leave\n" % (n % 3, n) for n in range(9)) + b"2;hello there 8;greet\n"
    upload = create_upload(owner, content)
    page = visit(owner, "dataset", upload=upload.id)
    box(page, "id").select("label").run()
    button(page, "Keep the first of each").click().run()

    again = visit(owner, "dataset", upload=upload.id)

    chosen = {box.label: box.value for box in again.selectbox}
    assert chosen["id"] == "label"
    assert "rows 19 → 18" in words(again)
