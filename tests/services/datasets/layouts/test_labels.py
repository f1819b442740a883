import pytest

from services.datasets.layouts.labels import items_of, separator_of, written_list


@pytest.mark.parametrize(
    ("cell", "items"),
    [
        ('["joy", "pride"]', ["joy", "pride"]),
        ("['joy', 'pride']", ["joy", "pride"]),
        ("['it''s', \"that's\"]", ["it", "s", "that's"]),
        ("['joy' 'pride']", ["joy", "pride"]),
        ("[joy, pride]", ["joy", "pride"]),
        ("(1, 2)", ["1", "2"]),
        ("{'joy'}", ["joy"]),
        ("[]", []),
        ("[1, 2]", ["1", "2"]),
        ("joy", None),
        ("[joy", None),
        ("", None),
        ("['joy", None),
    ],
)
def test_a_list_is_read_as_json_or_python_write_it(cell: str, items: list[str] | None) -> None:
    assert written_list(cell) == items


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ("joy;pride", ["joy", "pride"]),
        ("", []),
        ("None", []),
        (None, []),
        (["joy", 3], ["joy", "3"]),
        ({"joy": 0.9, "pride": 0.1}, ["joy"]),
        ({"joy": "much"}, None),
        ([["joy"]], None),
        (7, ["7"]),
    ],
)
def test_labels_are_taken_from_whatever_holds_them(value: object, items: list[str] | None) -> None:
    assert items_of(value, ";") == items


@pytest.mark.parametrize(
    ("cells", "separator"),
    [
        (["a,b", "a", "b,c", "c"], ","),
        (["a|b", "a", "b|c", "c"], "|"),
        (["a ; b", "a", "b;c", "c", ""], ";"),
        (["bags, shoes", "hats", "bags, shoes"], None),
        (["food, drinks", "food, other", "hats"], None),
        (["a", "b"], None),
    ],
)
def test_a_separator_is_believed_where_its_parts_come_again_in_other_company(
    cells: list[str], separator: str | None
) -> None:
    assert separator_of(cells) == separator
