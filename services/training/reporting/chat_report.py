"""How well a chat model answers conversations it has never seen, beside its base."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.training.reporting.intervals import bootstrap_likelihood
from services.training.reporting.report import ChatAnswer, ChatScores, Difference

# A word, or a character of the scripts that write none between spaces.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W_\u3040-\u9fff]+")


def rouge_l(truth: str, answer: str) -> float:
    """F1 of the longest common subsequence of words, by C.-Y. Lin, "ROUGE" (2004), unstemmed; 0 to 1."""
    wanted, said = _WORD.findall(truth.lower()), _WORD.findall(answer.lower())
    if not wanted or not said:
        return 0.0
    # lengths[j]: of the longest subsequence that the words so far share with the first j of `said`.
    lengths = [0] * (len(said) + 1)
    for word in wanted:
        diagonal = 0
        for place, other in enumerate(said, start=1):
            diagonal, lengths[place] = (
                lengths[place],
                diagonal + 1 if word == other else max(lengths[place], lengths[place - 1]),
            )
    common = lengths[-1]
    return 2 * common / (len(wanted) + len(said))


def same(truth: str, answer: str) -> bool:
    """Are the two the same, whatever the white space?"""
    return truth.split() == answer.split()


def chat_scores(
    losses: NDArray[np.float64],
    base_losses: NDArray[np.float64],
    tokens: NDArray[np.int64],
    answers: Sequence[ChatAnswer],
    *,
    left_out: int,
) -> ChatScores:
    """What the test conversations come to.

    losses, base_losses: (conversations) of negative log-likelihood in nats, of the model and of its base;
    tokens: (conversations) of learned tokens; answers: those that were written out, the worst first.
    """
    mine, base = bootstrap_likelihood(losses, tokens), bootstrap_likelihood(base_losses, tokens)
    return ChatScores(
        likelihood=float(np.exp(-losses.sum() / tokens.sum())),
        likelihood_interval=_middle(mine),
        base_likelihood=float(np.exp(-base_losses.sum() / tokens.sum())),
        base_interval=_middle(base),
        tokens=int(tokens.sum()),
        answers=len(answers),
        exact_match=_mean([same(one.truth, one.answer) for one in answers]),
        base_exact_match=_mean([same(one.truth, one.base_answer) for one in answers]),
        rouge_l=_mean([one.rouge_l for one in answers]),
        base_rouge_l=_mean([one.base_rouge_l for one in answers]),
        samples=list(answers),
        left_out=left_out,
    )


def gain(
    losses: NDArray[np.float64], base_losses: NDArray[np.float64], tokens: NDArray[np.int64]
) -> Difference:
    """What the model adds to its base's likelihood, by paired bootstrap over conversations (Koehn, 2004)."""
    draws = bootstrap_likelihood(losses, tokens) - bootstrap_likelihood(base_losses, tokens)
    mine, base = (float(np.exp(-of.sum() / tokens.sum())) for of in (losses, base_losses))
    tail = min((draws <= 0).sum(), (draws >= 0).sum())
    return Difference(
        value=mine - base,
        interval=_middle(draws),
        # Chance never has no share at all, however few draws show it.
        p_value=min(1.0, float(2 * (tail + 1) / (len(draws) + 1))),
        rows=len(losses),
        only_first=int((losses < base_losses).sum()),
        only_second=int((losses > base_losses).sum()),
    )


def _middle(draws: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(low), float(high)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(1, len(values))
