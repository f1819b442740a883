import numpy as np
import pytest

from services.training.reporting.chat_report import chat_scores, gain, rouge_l, same
from services.training.reporting.report import ChatAnswer


# F-measures of rougeL by rouge-score 0.1.2, without stemming.
@pytest.mark.parametrize(
    ("truth", "answer", "expected"),
    [
        ("the cat sat on the mat", "the cat sat on the mat", 1.0),
        ("the cat sat on the mat", "the cat lay on a mat", 0.6666666666666666),
        ("police killed the gunman", "the gunman police killed", 0.5),
        ("a b c d e f g", "g f e d c b a", 0.14285714285714285),
        ("one two three", "four five six", 0.0),
        ("Hello, World! It's 5 o'clock.", "hello world it s 5 oclock", 0.7692307692307693),
        ("short", "a much longer answer that holds short somewhere", 0.2222222222222222),
        ("the the the the", "the the", 0.6666666666666666),
        ("x", "", 0.0),
    ],
)
def test_rouge_l_is_that_of_the_usual_library(truth: str, answer: str, expected: float) -> None:
    assert rouge_l(truth, answer) == pytest.approx(expected)


def test_scripts_without_spaces_are_compared_character_by_character() -> None:
    assert rouge_l("你好世界", "你好朋友") == pytest.approx(0.5)


def test_an_exact_match_minds_no_white_space() -> None:
    assert same("a  b\n", "a b")
    assert not same("a b", "a B")


def test_likelihoods_are_means_over_tokens_and_the_gain_is_paired() -> None:
    chance = np.random.default_rng(0)
    tokens = chance.integers(5, 40, 60)
    # Some conversations are far harder than others, for both models alike.
    hard = chance.uniform(0.5, 3.0, 60)
    answer = ChatAnswer(
        row=1, question="q", turns=1, truth="a", answer="a", base_answer="b", rouge_l=1.0, base_rouge_l=0.0
    )

    scores = chat_scores(hard * tokens, (hard + 0.05) * tokens, tokens, [answer], left_out=0)

    assert scores.likelihood == pytest.approx(np.exp(-(hard * tokens).sum() / tokens.sum()))
    assert scores.base_perplexity == pytest.approx(np.exp(0.05) * scores.perplexity)
    # Apart, the intervals overlap; draw by draw the model is always better.
    assert scores.base_interval[1] > scores.likelihood_interval[0]
    added = gain(hard * tokens, (hard + 0.05) * tokens, tokens)
    assert added.interval[0] > 0
    assert added.value == pytest.approx(scores.likelihood - scores.base_likelihood)
    assert (added.p_value < 0.01, added.only_first, added.only_second) == (True, 60, 0)
    assert (scores.exact_match, scores.base_exact_match, scores.rouge_l) == (1.0, 0.0, 1.0)
