import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.datasets.dropped import DropCode
from services.datasets.examples import TokenExample
from services.datasets.layouts.spans import Span, tagged
from services.datasets.limits import MAX_TOKENS
from services.datasets.notes import NoteCode, Notes
from tests.services.datasets.factories import sentence


def tag(text: str, *spans: Span) -> tuple[TokenExample | DropCode, list[NoteCode]]:
    notes = Notes()
    found = tagged(1, text, spans, notes)
    return found, [note.code for note in notes.told()]


def test_words_and_signs_become_tokens_with_the_tags_of_their_entities() -> None:
    found, notes = tag("Dr. Anna lives in New York.", Span(18, 26, "place"), Span(4, 8, "person"))

    assert found == sentence(
        1, *["Dr/O", "./O", "Anna/B-person", "lives/O", "in/O", "New/B-place", "York/I-place", "./O"]
    )
    assert notes == []


def test_a_word_that_an_entity_cuts_is_divided_there() -> None:
    found, notes = tag("The Berlinreise was nice", Span(4, 10, "place"))

    assert found == sentence(1, *["The/O", "Berlin/B-place", "reise/O", "was/O", "nice/O"])
    assert notes == [NoteCode.divided_words]


def test_two_entities_side_by_side_are_two() -> None:
    found, _ = tag("NewYork", Span(0, 3, "x"), Span(3, 7, "x"))

    assert found == sentence(1, "New/B-x", "York/B-x")


def test_scripts_without_spaces_have_a_token_for_each_character() -> None:
    found, notes = tag("我住在北京。", Span(3, 5, "place"))

    assert found == sentence(1, *["我/O", "住/O", "在/O", "北/B-place", "京/I-place", "。/O"])
    assert notes == []


# The same word, placed by characters, by UTF-16 units and by bytes.
@pytest.mark.parametrize(
    ("start", "end", "note"),
    [(5, 9, []), (6, 10, [NoteCode.utf16_offsets]), (9, 13, [NoteCode.byte_offsets])],
)
@pytest.mark.parametrize("surface", ["Oslo", None])
def test_the_unit_of_the_places_is_found_out(
    start: int, end: int, note: list[NoteCode], surface: str | None
) -> None:
    found, notes = tag("😀 é: Oslo, a town", Span(start, end, "place", surface))

    assert found == sentence(1, *["😀/O", "é/O", ":/O", "Oslo/B-place", ",/O", "a/O", "town/O"])
    assert notes == note


def test_an_entity_whose_words_differ_from_the_text_is_dropped() -> None:
    assert tag("I live in Oslo", Span(10, 14, "place", "Rome"))[0] is DropCode.span_mismatch


def test_spaces_do_not_make_the_words_differ() -> None:
    found, _ = tag("New\nYork is big", Span(0, 8, "place", "New York"))

    assert found == sentence(1, *["New/B-place", "York/I-place", "is/O", "big/O"])


@pytest.mark.parametrize("place", [(-1, 3), (3, 3), (4, 3), (2, 99)])
def test_an_entity_outside_of_the_text_is_dropped(place: tuple[int, int]) -> None:
    assert tag("some text", Span(*place, "x"))[0] is DropCode.span_outside


def test_of_entities_that_overlap_the_longest_is_kept() -> None:
    found, notes = tag("New York City", Span(0, 8, "a"), Span(0, 13, "b"), Span(9, 13, "c"))

    assert found == sentence(1, "New/B-b", "York/I-b", "City/I-b")
    assert notes == [NoteCode.overlapping_spans]


def test_an_entity_that_is_there_twice_is_taken_once() -> None:
    assert tag("Oslo", Span(0, 4, "a"), Span(0, 4, "a")) == (
        sentence(1, "Oslo/B-a"),
        [NoteCode.repeated_spans],
    )


def test_spaces_at_the_edge_of_an_entity_are_taken_off() -> None:
    found, notes = tag("in Oslo now", Span(2, 8, "place"))

    assert found == sentence(1, "in/O", "Oslo/B-place", "now/O")
    assert notes == [NoteCode.trimmed_spans]


@pytest.mark.parametrize(
    ("text", "spans", "code"),
    [
        (" ", [], DropCode.empty_text),
        ("a\x00b", [], DropCode.unreadable_row),
        ("Oslo", [Span(0, 4, "")], DropCode.missing_label),
        ("Oslo", [Span(0, 4, "x" * 300)], DropCode.label_too_long),
        ("Oslo", [Span(0, 4, "x")] * (MAX_TOKENS + 1), DropCode.too_many_tokens),
        ("a " * (MAX_TOKENS + 1), [], DropCode.too_many_tokens),
    ],
)
def test_what_cannot_be_used_is_dropped_with_its_reason(text: str, spans: list[Span], code: DropCode) -> None:
    assert tag(text, *spans)[0] is code


PLACES = st.tuples(st.integers(0, 12), st.integers(0, 12), st.sampled_from("xy"))


@given(text=st.text(alphabet="ab é😀北.\n", min_size=1, max_size=12), places=st.lists(PLACES, max_size=4))
def test_no_character_of_a_text_is_lost_and_every_entity_begins_once(
    text: str, places: list[tuple[int, int, str]]
) -> None:
    found, _ = tag(text, *(Span(*place) for place in places))

    if isinstance(found, TokenExample):
        assert "".join(found.tokens) == "".join(text.split())
        assert len(found.labels) <= len(set(places))
