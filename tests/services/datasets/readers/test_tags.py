import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.datasets.readers.tags import is_tag, to_iob2


@pytest.mark.parametrize(
    ("scheme", "tags"),
    [
        ("IOB1", "I-x I-x B-x O I-y I-x"),
        ("IOB2", "B-x I-x B-x O B-y B-x"),
        ("BIOES", "B-x E-x S-x O S-y S-x"),
        ("BILOU", "B-x L-x U-x O U-y U-x"),
    ],
)
def test_every_scheme_becomes_the_same_iob2(scheme: str, tags: str) -> None:
    assert to_iob2(tags.split()) == ("B-x", "I-x", "B-x", "O", "B-y", "B-x")


def test_what_follows_an_ended_entity_is_another() -> None:
    assert to_iob2(["S-x", "I-x", "E-x", "I-x"]) == ("B-x", "B-x", "I-x", "B-x")


def test_a_type_may_hold_dashes() -> None:
    assert to_iob2(["I-creative-work", "I-creative-work"]) == ("B-creative-work", "I-creative-work")


@pytest.mark.parametrize("tag", ["", "o", "B", "B-", "X-PER", "PER", "B_PER", "b-PER"])
def test_what_is_no_tag_is_known(tag: str) -> None:
    assert not is_tag(tag)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["O", "B-x", "I-x", "E-x", "S-x", "L-y", "U-y", "B-y", "I-y"])))
def test_the_result_is_valid_and_stays_as_it_is(tags: list[str]) -> None:
    result = to_iob2(tags)

    assert to_iob2(result) == result
    assert [tag == "O" for tag in result] == [tag == "O" for tag in tags]
    for before, tag in zip(("O", *result), result, strict=False):
        assert not tag.startswith("I-") or before in (tag, f"B-{tag[2:]}")
