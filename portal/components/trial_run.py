"""One text for one model version: asked, answered, priced, and the code that asks the same."""

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from time import monotonic

import streamlit as st

from portal import format as words
from portal import session
from portal.components.answer import answer
from portal.components.snippets import snippet_tabs
from portal.errors import shown
from services.billing import service as billing
from services.billing.pricing import rate_part
from services.datasets import files
from services.datasets.examples import Example, PairExample, ScoreExample
from services.datasets.split import Split
from services.datasets.tables import DatasetVersion
from services.db import reading
from services.errors import NotFound
from services.inference import client
from services.inference.predictions import Input, Pair
from services.inference.protocol import Answer
from services.metering.meters import PREDICTIONS
from services.registry.tables import ModelVersion

_LONGEST = 10_000
# The answer stands until the next one, whatever else on the page is pressed.
_ANSWERED = "playground_answered"


@st.fragment
def trial_run(version: ModelVersion, data: DatasetVersion, *, called: str) -> None:
    """The text, the button, the answer; `called` is what programs call this version by."""
    pairs = bool(data.format.get("pair_column"))
    keys = _keys(version.id, pairs=pairs)
    if keys[0] not in st.session_state:
        _show_example(keys, data, 0)
    left, right = st.columns([1, 1], gap="medium")
    with left:
        texts = [
            st.text_area(name, key=key, height=180 if len(keys) == 1 else 110, max_chars=_LONGEST) or ""
            for name, key in zip(("First text", "Second text") if pairs else ("Text",), keys, strict=True)
        ]
        ready = all(text.strip() for text in texts)
        with st.container(horizontal=True):
            asked = st.button(
                "Predict",
                type="primary",
                icon=":material/play_arrow:",
                disabled=not ready,
                shortcut="Ctrl+Enter",
            )
            st.button("Another example", icon=":material/shuffle:", on_click=_next_example, args=(keys, data))
        st.caption(f"{_price()} for each prediction, here as from your programs.")
    with right:
        if asked and ready:
            with shown(), st.spinner("Asking the model …"):
                st.session_state[_ANSWERED] = _ask(version, _input(texts))
        _answer(version)
    st.subheader("From your own code", anchor=False)
    snippet_tabs(called, _input(texts))


def _keys(version_id: str, *, pairs: bool) -> list[str]:
    return [f"playground_text:{version_id}", *([f"playground_second:{version_id}"] if pairs else [])]


def _input(texts: Sequence[str]) -> Input:
    return Pair(first=texts[0], second=texts[1]) if len(texts) > 1 else texts[0]


def _ask(version: ModelVersion, asked: Input) -> dict[str, object]:
    member = session.member()
    began = monotonic()
    answered = client.predict(member, model=version.id, inputs=[asked])
    seconds = monotonic() - began
    text = asked if isinstance(asked, str) else f"{asked.first}\n{asked.second}"
    return {"version": version.id, "text": text, "seconds": seconds, "answer": answered.model_dump_json()}


def _answer(version: ModelVersion) -> None:
    answered = st.session_state.get(_ANSWERED)
    if not answered or answered["version"] != version.id:
        st.caption("The answer stands here.")
        return
    text, seconds = answered["text"], answered["seconds"]
    item = Answer.model_validate_json(answered["answer"]).data[0]
    with st.container(border=True):
        answer(item, text, version)
    took = f"{seconds * 1000:,.0f} ms" if seconds < 10 else words.duration(seconds)
    st.caption(f":material/timer: {took} on the way and back · {_price()} for this call")


def _next_example(keys: Sequence[str], data: DatasetVersion) -> None:
    number = st.session_state.get("playground_example", 0) + 1
    st.session_state["playground_example"] = number
    _show_example(keys, data, number)


def _show_example(keys: Sequence[str], data: DatasetVersion, number: int) -> None:
    """Put a row of the test split into the fields."""
    row = _example(data, number)
    texts = ["", ""]
    if isinstance(row, PairExample | ScoreExample):
        texts = [row.first, row.second]
    elif row is not None:
        texts = [row.text]
    st.session_state.update(dict(zip(keys, texts, strict=False)))


def _example(data: DatasetVersion, number: int) -> Example | None:
    """A row of the test split, one label after the other; none where the data was deleted."""
    known: list[str | None] = [label for label, splits in data.labels.items() if splits[Split.test]]
    labels = known or [None]
    label, offset = labels[number % len(labels)], number // len(labels)
    with suppress(NotFound):
        found = files.rows(data, split=Split.test, offset=offset, limit=1, label=label).rows
        found = found or files.rows(data, split=Split.test, offset=0, limit=1, label=label).rows
        return found[0]
    return None


def _price() -> str:
    with reading() as db:
        plan = billing.current_plan(db, session.member())
    sold = plan.price_of(PREDICTIONS.name, {})
    if sold is None:
        return "Nothing"
    # One more, once what the plan includes is used up.
    return words.unit_price(rate_part(sold.price, sold.price.free, Decimal(1)), plan.currency)
