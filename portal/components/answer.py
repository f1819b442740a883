"""What a model answered, as people read it: bars, labels, a score with its error, or marked entities."""

import streamlit as st

from portal import format as words
from portal.charts import labels_given, scores
from portal.components.chart import chart
from portal.highlight import entities, legend, literal
from services.inference.protocol import EntityItem, Item, LabelItem, LabelsItem, ScoreItem
from services.registry.tables import ModelVersion

# How a table writes a share; its values are hundredths.
_PERCENT = "%.1f %%"


def answer(item: Item, text: str, version: ModelVersion) -> None:
    """One answer; `text` is what was asked."""
    match item:
        case LabelItem():
            if item.abstained:
                st.markdown("**Withheld: less sure than the threshold of this version.**")
            chart(scores(item.scores), key="scores")
        case LabelsItem():
            _labels(item)
        case ScoreItem():
            _score(item)
        case EntityItem():
            _entities(item, text, version.labels)


def _labels(item: LabelsItem) -> None:
    if item.abstained:
        st.markdown("**Withheld: less sure than the threshold of this version.**")
    elif item.labels:
        st.markdown(" ".join(f":blue-badge[{literal(label)}]" for label in item.labels))
    else:
        st.markdown("**No label reaches its threshold.**")
    chart(labels_given(item.scores, item.thresholds), key="labels")
    st.caption(
        "A label is given from its own threshold on, which was chosen on validation rows. That all of the "
        f"answer is right has a probability of {words.percent(item.confidence)}."
    )


def _score(item: ScoreItem) -> None:
    low, high = words.number(item.score - item.error), words.number(item.score + item.error)
    st.metric("Score", words.number(item.score), border=True)
    st.caption(f"Between {low} and {high} in four of five cases, as the validation rows showed.")


def _entities(item: EntityItem, text: str, types: list[str]) -> None:
    st.markdown(entities(text, item.entities, types))
    st.markdown(legend(types))
    if item.withheld:
        st.caption(f"{words.count(len(item.withheld), 'entity', 'entities')} below the threshold withheld.")
    if not item.entities:
        st.caption("No entities found in this text.")
        return
    st.dataframe(
        {
            "Entity": [entity.text for entity in item.entities],
            "Type": [entity.type for entity in item.entities],
            "Confidence": [entity.score * 100 for entity in item.entities],
        },
        column_config={
            "Confidence": st.column_config.ProgressColumn(format=_PERCENT, min_value=0, max_value=100)
        },
        hide_index=True,
        alt="Entities that were found",
    )
