import pytest

from services.datasets.dropped import DropCode
from services.datasets.preview import inspect
from services.datasets.samples import PLACE_NAMES, SAMPLES, SUPPORT_MESSAGES, Sample


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.filename)
def test_a_sample_can_be_trained_on_as_it_is(sample: Sample) -> None:
    form, shown = inspect(sample.read())

    assert form.task is sample.task
    assert shown.problem is None
    assert shown.train_only_labels == ()
    assert all(count >= 20 for count in shown.labels.values())


def test_the_support_messages_hold_the_flaws_they_speak_of() -> None:
    form, shown = inspect(SUPPORT_MESSAGES.read())

    assert (form.columns, form.text_column, form.label_column) == (("message", "intent"), "message", "intent")
    assert (shown.rows_in, shown.rows_used, len(shown.labels)) == (395, 391, 8)
    assert {group.code: group.count for group in shown.dropped} == {
        DropCode.empty_row: 2,
        DropCode.missing_label: 1,
        DropCode.empty_text: 1,
    }
    assert "391" in SUPPORT_MESSAGES.description


def test_the_place_names_are_sentences_with_three_kinds_of_names() -> None:
    _, shown = inspect(PLACE_NAMES.read())

    assert shown.rows_in == shown.rows_used == 61
    assert set(shown.labels) == {"person", "organisation", "location"}
