import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.datasets.cells import inert, original

BEGINNINGS = ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠"]


@pytest.mark.parametrize("first", BEGINNINGS)
def test_what_could_be_a_formula_gets_an_apostrophe(first: str) -> None:
    assert inert(f"{first}cmd|' /C calc'!A0") == f"'{first}cmd|' /C calc'!A0"


@pytest.mark.parametrize("number", ["-12", "+3.5", "-0.75", "7"])
def test_a_number_stays_a_number(number: str) -> None:
    assert inert(number) == number


@pytest.mark.parametrize("formula", ["-1+1", "+1-2", "-12%", "-1e5()", "+3.5.1"])
def test_what_only_begins_like_a_number_is_none(formula: str) -> None:
    assert inert(formula) == f"'{formula}"


@given(st.one_of(st.text(), st.tuples(st.sampled_from(["'", *BEGINNINGS]), st.text()).map("".join)))
def test_every_cell_is_inert_and_comes_back_as_it_was(cell: str) -> None:
    made = inert(cell)

    assert original(made) == cell
    assert not made.startswith(tuple(BEGINNINGS)) or made.lstrip("+-").replace(".", "", 1).isdecimal()
