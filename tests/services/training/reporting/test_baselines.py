from services.training.examples import TextExample, TokenExample
from services.training.reporting.baselines import text_baselines, token_baselines
from services.training.reporting.report import Baseline
from tests.services.training.tiny import create_sentences, create_texts


def by_name(baselines: list[Baseline]) -> dict[str, float]:
    return {baseline.name: baseline.value for baseline in baselines}


def test_the_majority_is_that_of_training() -> None:
    train = [TextExample(1, "x", "a"), TextExample(2, "y", "a"), TextExample(3, "z", "b")]
    test = [
        TextExample(1, "x", "b"),
        TextExample(2, "y", "b"),
        TextExample(3, "z", "a"),
        TextExample(4, "w", "b"),
    ]

    assert by_name(text_baselines(train, test, ["b"] * 4))["majority"] == 0.25


def test_keywords_solve_what_keywords_decide() -> None:
    test = create_texts(100, seed=2)
    values = by_name(text_baselines(create_texts(300, seed=1), test, ["tool"] * 100))

    assert values["tfidf-logistic-regression"] > 0.95
    assert values["majority"] < 0.6


def test_texts_without_a_word_leave_keywords_with_nothing() -> None:
    signs = [TextExample(1, "!", "a"), TextExample(2, "?", "b")]

    assert by_name(text_baselines(signs, signs, ["a", "a"]))["tfidf-logistic-regression"] <= 0.5


def test_each_word_has_its_most_frequent_tag() -> None:
    train = [
        TokenExample(1, ["ada", "in", "rome"], ["B-person", "O", "B-city"]),
        TokenExample(2, ["rome", "burns"], ["B-city", "O"]),
        TokenExample(3, ["rome"], ["B-person"]),
    ]
    test = [TokenExample(1, ["rome", "ada", "unknown"], ["B-city", "B-person", "B-person"])]

    assert by_name(token_baselines(train, test, [["O", "O", "O"]])) == {"most-frequent-tag": 2 * 2 / (2 + 3)}


def test_known_names_are_found_again() -> None:
    test = create_sentences(50, seed=2)
    nothing = [["O"] * len(sentence.tokens) for sentence in test]

    values = by_name(token_baselines(create_sentences(200, seed=1), test, nothing))

    assert values["most-frequent-tag"] > 0.4
