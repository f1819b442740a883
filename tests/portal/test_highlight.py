from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from portal.highlight import COLOURS, colours, entities, legend, literal
from services.inference.predictions import Entity

HOSTILE = (
    ":red[x] **b** $x^2$ <b>html</b> [l](javascript:alert(1)) ![i](x) `c` &amp; # * ~~s~~ [^1] "
    ":help[x] \\\\ ] [ |"
)
CUT = ":gray[]"


def shown(markdown: str) -> str:
    """What a CommonMark reader shows of inline markdown, with our invisible cuts taken out first."""
    (paragraph,) = [
        token for token in MarkdownIt().parse(markdown.replace(CUT, "")) if token.type == "inline"
    ]
    assert {child.type for child in paragraph.children or []} <= {"text", "text_special", "hardbreak"}
    return "".join(child.content or "\n" for child in paragraph.children or [])


def entity(text: str, part: str, kind: str) -> Entity:
    start = text.index(part)
    return Entity(type=kind, text=part, start=start, end=start + len(part), score=0.9)


def test_hostile_text_is_shown_letter_for_letter() -> None:
    assert shown(literal(HOSTILE)) == HOSTILE


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
def test_any_text_is_shown_letter_for_letter(text: str) -> None:
    text = " ".join(text.split()) or "x"

    assert shown(literal(text)) == text


def test_line_breaks_stay_and_indentation_makes_no_code() -> None:
    assert shown(literal("one\n\n    two\n# three\n")) == "one\n\ntwo\n# three"


def test_what_streamlit_replaces_after_parsing_is_cut_in_two() -> None:
    for word in (":material_home:", ":streamlit:", "->", "--", ">=", "https://x.y", "www.x.y", "a@x.y"):
        assert CUT in literal(word), word


def test_ordinary_sentences_are_not_cut() -> None:
    assert CUT not in literal("When: at 5 - or later, for 3.50 (sometimes)?")


def test_an_entity_stands_on_its_colour_with_its_type() -> None:
    text = "At the Empire State."

    marked = entities(text, [entity(text, "Empire State", "location")], ["location", "person"])

    assert marked == r"At the :blue-background[Empire State :blue[:small[location]]]\."


def test_text_cannot_open_or_close_a_highlight() -> None:
    text = "a] :red-background[b"

    marked = entities(text, [entity(text, "] :red", "x[y]")], ["x[y]"])

    assert marked == r"a:blue-background[\] \::gray[]red :blue[:small[x\[y\]]]]\-background\[b"


def test_the_same_types_have_the_same_colours_whatever_was_found() -> None:
    text = "Ann"
    found = [entity(text, "Ann", "person")]

    assert ":green-background[Ann" in entities(text, found, ["group", "location", "person"])
    assert ":green-background[person]" in legend(["person", "location", "group"])


def test_more_types_than_colours_start_over() -> None:
    types = [f"type{number:02}" for number in range(len(COLOURS) + 1)]

    assert colours(types)["type07"] == colours(types)["type00"]


def test_a_text_without_entities_is_shown_as_it_is() -> None:
    assert entities("plain words", [], ["x"]) == "plain words"
