"""A conversation with one chat model version, beside its base model: streamed, timed and priced."""

from decimal import Decimal
from time import monotonic
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from portal import format as words
from portal import session, snippets
from portal.components.snippets import code_tabs
from portal.errors import shown
from portal.highlight import literal
from services.billing import service as billing
from services.billing.pricing import rate_part
from services.config import settings
from services.db import reading
from services.inference import client
from services.inference.client import Spoken
from services.metering.meters import GENERATED_TOKENS
from services.registry.tables import ModelVersion

_LONGEST = 4_000
_SUGGESTED = 3

Turn = dict[str, Any]


@st.fragment
def chat_trial(version: ModelVersion, *, called: str) -> None:
    """The conversation, its settings, and the code that asks the same; `called` is what programs say."""
    key = f"playground_chat:{version.id}"
    turns: list[Turn] = st.session_state.setdefault(key, [])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        beside = st.toggle("Beside the base model", value=True, help="Asks both; both answers are billed.")
        temperature = st.slider(
            "Temperature",
            0.0,
            1.5,
            0.0,
            0.1,
            width=220,
            help="0 gives the likeliest answer, the same each time.",
        )
    with st.container(border=True):
        hint = st.empty()
        for turn in turns:
            _turn(turn)
        place, suggestions = st.container(), st.empty()
        typed = st.chat_input("Your message", max_chars=_LONGEST, key=f"{key}:input")
        asked = typed or (None if turns else _suggestion(version, suggestions))
        if asked:
            suggestions.empty()
            with place, shown():
                _ask(version, turns, asked, temperature=temperature, beside=beside)
        if not turns:
            hint.caption("Ask as your customers would. The answer comes word by word.")
    st.button("Start over", icon=":material/restart_alt:", disabled=not turns, on_click=lambda: turns.clear())
    st.caption(f"{_price(1_000)} for 1,000 tokens that are written, here as from your programs.")
    st.subheader("From your own code", anchor=False)
    url = settings().api_url.rstrip("/")
    last = next((turn["content"] for turn in reversed(turns) if turn["role"] == "user"), "Hello")
    code_tabs(
        snippets.chat_curl(url, called, last),
        snippets.chat_python(url, called, last),
        snippets.chat_openai(url, called, last),
    )


def _suggestion(version: ModelVersion, place: DeltaGenerator) -> str | None:
    """A question of the test split, to begin with."""
    samples = (version.report.get("chat") or {}).get("samples", [])
    questions: list[str] = list(
        dict.fromkeys(sample["question"] for sample in samples if sample["turns"] == 1)
    )
    with place.container(horizontal=True):
        for question in questions[-_SUGGESTED:]:
            if st.button(literal(question), key=f"suggest:{question}"):
                return question
    return None


def _ask(version: ModelVersion, turns: list[Turn], asked: str, *, temperature: float, beside: bool) -> None:
    """Show the answers as they are written, then keep them."""
    _turn({"role": "user", "content": asked})
    said = [{"role": turn["role"], "content": turn["content"]} for turn in turns]
    said.append({"role": "user", "content": asked})
    with st.chat_message("assistant"):
        columns = st.columns(2, gap="medium") if beside else [st.container()]
        answers = []
        for column, untuned in zip(columns, (False, True), strict=False):
            with column:
                if beside:
                    st.caption("Base model" if untuned else "This model")
                answers.append(_answer(version, said, temperature=temperature, untuned=untuned))
    tuned, *base = answers
    turns += [
        {"role": "user", "content": asked},
        {"role": "assistant", **tuned, "base": base[0] if base else None},
    ]


def _answer(
    version: ModelVersion, said: list[dict[str, str]], *, temperature: float, untuned: bool
) -> dict[str, Any]:
    began = monotonic()
    spoken = Spoken()
    pieces = client.converse(
        session.member(),
        model=version.id,
        messages=said,
        temperature=temperature,
        untuned=untuned,
        spoken=spoken,
    )
    # Not st.write_stream: what a model writes is text, and must be made literal as a whole.
    place, first = st.empty(), 0.0
    for _ in pieces:
        first = first or monotonic() - began
        place.markdown(literal(spoken.text))
    answer = {
        "content": spoken.text,
        "first": first,
        "seconds": monotonic() - began,
        "tokens": spoken.tokens,
    }
    _figures(answer)
    return answer


def _turn(turn: Turn) -> None:
    with st.chat_message(turn["role"]):
        if turn["role"] == "user":
            st.markdown(literal(turn["content"]))
        elif turn["base"] is None:
            _said(turn)
        else:
            mine, base = st.columns(2, gap="medium")
            with mine:
                st.caption("This model")
                _said(turn)
            with base:
                st.caption("Base model")
                _said(turn["base"])


def _said(answer: Turn) -> None:
    st.markdown(literal(answer["content"]) or ":gray[nothing]")
    _figures(answer)


def _figures(answer: Turn) -> None:
    st.caption(
        f":material/timer: {answer['first'] * 1000:,.0f} ms to the first word, {answer['seconds']:.1f} s"
        f" · {words.count(answer['tokens'], 'token')}, {_price(answer['tokens'])}"
    )


def _price(tokens: int) -> str:
    with reading() as db:
        plan = billing.current_plan(db, session.member())
    sold = plan.price_of(GENERATED_TOKENS.name, {})
    if sold is None or not tokens:
        return "nothing"
    # On top of what the plan includes.
    return words.unit_price(rate_part(sold.price, sold.price.free, Decimal(tokens)), plan.currency)
