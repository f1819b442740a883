from services.datasets.readers.columns import looks_like_header, text_and_label


def test_a_column_of_one_value_is_no_label() -> None:
    rows = [("en", "well hello to you", "a"), ("en", "and goodbye then", "b"), ("en", "hello again", "a")]

    assert text_and_label(("one", "two", "three"), rows) == (1, 2)


def test_a_column_that_holds_the_split_is_no_label() -> None:
    rows = [("train", f"some text {number}", f"label {number % 5}") for number in range(20)]

    assert text_and_label(("split", "what", "which"), rows) == (1, 2)


def test_a_named_text_leaves_the_label_to_the_column_that_repeats() -> None:
    rows = [(f"id{number}", f"text {number}", "yes" if number % 2 else "no") for number in range(10)]

    assert text_and_label(("ref", "text", "verdict"), rows) == (1, 2)


def test_a_single_row_of_unknown_words_is_no_header() -> None:
    assert not looks_like_header([("hello there", "greeting")])
