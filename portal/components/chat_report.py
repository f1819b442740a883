"""What a chat model's report holds: its perplexity beside its base's, and answers side by side."""

import streamlit as st

from portal import format as words
from portal.components.kpi import Kpi
from portal.highlight import literal
from services.training.reporting.report import ChatAnswer, ChatScores, Report

_SHOWN = 10
# Characters of an answer; a base model may talk on for pages.
_MOST_SHOWN = 500


def chat_figures(report: Report, scores: ChatScores) -> list[Kpi]:
    """The figures of a chat model, each beside its base's."""
    high, low = (1 / bound for bound in scores.likelihood_interval)
    return [
        Kpi(
            "Perplexity",
            f"{scores.perplexity:,.1f}",
            note=f"the base model {scores.base_perplexity:,.1f}",
            help="Between how many tokens the model hesitates, on average over true answers. Less is better. "
            f"95 % sure between {low:,.1f} and {high:,.1f}; one over the token likelihood.",
        ),
        Kpi(
            "ROUGE-L",
            f"{scores.rouge_l:.2f}",
            note=f"the base model {scores.base_rouge_l:.2f}",
            help="How much of their words the written and the true answers share, in order: 0 to 1.",
        ),
        Kpi(
            "Exact matches",
            words.percent(scores.exact_match),
            note=f"the base model {words.percent(scores.base_exact_match)}",
            help=f"Of {scores.answers} answers that were written out.",
        ),
        Kpi(
            "Tested on",
            f"{report.test_rows:,}",
            note=f"learned from {report.rows.train:,}",
            help="Conversations of the test split, never trained on; and their answers’ "
            f"{scores.tokens:,} tokens.",
        ),
    ]


def chat_answers(scores: ChatScores) -> None:
    """Test conversations with the true answer, the model's and its base's, the least alike first."""
    st.caption(
        f"{scores.answers} conversations of the test split, answered word by word. "
        "Those least like the true answer come first."
    )
    for sample in scores.samples[:_SHOWN]:
        _answer(sample)
    if len(scores.samples) > _SHOWN:
        with st.expander(f"{len(scores.samples) - _SHOWN} more"):
            for sample in scores.samples[_SHOWN:]:
                _answer(sample)


def _answer(sample: ChatAnswer) -> None:
    with st.container(border=True):
        before = f" · {words.count(sample.turns - 1, 'message')} before it" if sample.turns > 1 else ""
        st.markdown(f"**{literal(sample.question)}**  \n:gray[:small[Row {sample.row}{before}]]")
        columns = st.columns(3, gap="medium")
        parts = (
            ("True answer", sample.truth, None),
            ("This model", sample.answer, sample.rouge_l),
            ("Base model", sample.base_answer, sample.base_rouge_l),
        )
        for column, (name, text, alike) in zip(columns, parts, strict=True):
            like = "" if alike is None else f" · ROUGE-L {alike:.2f}"
            column.caption(f"{name}{like}")
            column.markdown(_clipped(text))


def _clipped(text: str) -> str:
    if len(text) <= _MOST_SHOWN:
        return literal(text) or ":gray[nothing]"
    return f"{literal(text[:_MOST_SHOWN])} :gray[… and {len(text) - _MOST_SHOWN:,} characters more]"
