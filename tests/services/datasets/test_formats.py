import pytest

from services.datasets.errors import SameColumn, UnknownColumn
from services.datasets.formats import Format, Layout
from tests.services.datasets.factories import conll_form, csv_form


def test_a_format_survives_json() -> None:
    form = csv_form()

    assert Format.model_validate_json(form.model_dump_json()) == form


def test_a_column_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(UnknownColumn, match=r"no column “intent”\. Pick one of: “text”, “label”"):
        csv_form().changed(label_column="intent")


def test_text_and_label_are_different_columns() -> None:
    with pytest.raises(SameColumn):
        csv_form().changed(label_column="text")


def test_a_correction_leaves_the_rest_as_it_was() -> None:
    form = csv_form(columns=("text", "label", "topic"), delimiter=";")

    corrected = form.changed(label_column="topic")

    assert corrected == csv_form(columns=("text", "label", "topic"), delimiter=";", label_column="topic")


def test_a_format_that_was_kept_before_layouts_had_names_is_still_understood() -> None:
    kept = conll_form().model_dump(mode="json", exclude={"layout"})

    assert Format.model_validate(kept).layout is Layout.tokens
