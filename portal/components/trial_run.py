"""One text for one model version: asked, answered, priced, and the code that asks the same."""

from contextlib import suppress
from decimal import Decimal
from time import monotonic

import streamlit as st

from portal import format as words
from portal import session
from portal.charts import scores
from portal.components.chart import chart
from portal.components.report import PERCENT
from portal.components.snippets import snippet_tabs
from portal.errors import shown
from portal.highlight import entities, legend
from services.billing import service as billing
from services.billing.pricing import rate_part
from services.datasets import files
from services.datasets.split import Split
from services.datasets.tables import DatasetVersion
from services.db import reading
from services.errors import NotFound
from services.inference import client
from services.inference.protocol import Answer, EntityItem, LabelItem
from services.metering.meters import PREDICTIONS
from services.registry.tables import ModelVersion

_LONGEST = 10_000
# The answer stands until the next one, whatever else on the page is pressed.
_ANSWERED = "playground_answered"


@st.fragment
def trial_run(version: ModelVersion, data: DatasetVersion, *, called: str) -> None:
    """The text, the button, the answer; `called` is what programs call this version by."""
    key = f"playground_text:{version.id}"
    if key not in st.session_state:
        st.session_state[key] = _example(data, 0)
    left, right = st.columns([1, 1], gap="medium")
    with left:
        text = st.text_area("Text", key=key, height=180, max_chars=_LONGEST)
        with st.container(horizontal=True):
            asked = st.button(
                "Predict",
                type="primary",
                icon=":material/play_arrow:",
                disabled=not (text or "").strip(),
                shortcut="Ctrl+Enter",
            )
            st.button(
                "Another example", icon=":material/shuffle:", on_click=_next_example, args=(version.id, data)
            )
        st.caption(f"{_price()} for each prediction, here as from your programs.")
    with right:
        if asked and text:
            with shown(), st.spinner("Asking the model …"):
                st.session_state[_ANSWERED] = _ask(version, text)
        _answer(version)
    st.subheader("From your own code", anchor=False)
    snippet_tabs(called, text or "")


def _ask(version: ModelVersion, text: str) -> dict[str, object]:
    member = session.member()
    began = monotonic()
    answer = client.predict(member, model=version.id, inputs=[text])
    seconds = monotonic() - began
    return {"version": version.id, "text": text, "seconds": seconds, "answer": answer.model_dump_json()}


def _answer(version: ModelVersion) -> None:
    answered = st.session_state.get(_ANSWERED)
    if not answered or answered["version"] != version.id:
        st.caption("The answer stands here: scores as bars, or entities marked in the text.")
        return
    text, seconds = answered["text"], answered["seconds"]
    item = Answer.model_validate_json(answered["answer"]).data[0]
    with st.container(border=True):
        match item:
            case LabelItem():
                chart(scores(item.scores), key="scores")
            case EntityItem():
                types = version.labels
                st.markdown(entities(text, item.entities, types))
                st.markdown(legend(types))
                if not item.entities:
                    st.caption("No entities found in this text.")
                else:
                    _entity_table(item)
    took = f"{seconds * 1000:,.0f} ms" if seconds < 10 else words.duration(seconds)
    st.caption(f":material/timer: {took} on the way and back · {_price()} for this call")


def _entity_table(item: EntityItem) -> None:
    st.dataframe(
        {
            "Entity": [entity.text for entity in item.entities],
            "Type": [entity.type for entity in item.entities],
            "Confidence": [entity.score * 100 for entity in item.entities],
        },
        column_config={
            "Confidence": st.column_config.ProgressColumn(format=PERCENT, min_value=0, max_value=100)
        },
        hide_index=True,
        alt="Entities that were found",
    )


def _next_example(version_id: str, data: DatasetVersion) -> None:
    number = st.session_state.get("playground_example", 0) + 1
    st.session_state["playground_example"] = number
    st.session_state[f"playground_text:{version_id}"] = _example(data, number)


def _example(data: DatasetVersion, number: int) -> str:
    """A text of the test split, one label after the other; none where the data was deleted."""
    labels = [label for label, splits in data.labels.items() if splits[Split.test]]
    label, offset = labels[number % len(labels)], number // len(labels)
    with suppress(NotFound):
        found = files.rows(data, split=Split.test, offset=offset, limit=1, label=label).rows
        found = found or files.rows(data, split=Split.test, offset=0, limit=1, label=label).rows
        return found[0].text
    return ""


def _price() -> str:
    with reading() as db:
        plan = billing.current_plan(db, session.member())
    sold = plan.price_of(PREDICTIONS.name, {})
    if sold is None:
        return "Nothing"
    # One more, once what the plan includes is used up.
    return words.unit_price(rate_part(sold.price, sold.price.free, Decimal(1)), plan.currency)
