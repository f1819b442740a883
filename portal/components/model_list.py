"""Models, one a line: what each is called, how good its latest version is, and whether that one is live."""

from collections.abc import Mapping, Sequence

import streamlit as st

from portal.verdict import METRIC_NAMES, figure
from services.registry.tables import Model, ModelVersion

_WIDTHS = [4, 3, 2]


def model_list(
    models: Sequence[Model], *, latest: Mapping[str, ModelVersion], live: Mapping[str, str]
) -> None:
    """Models in the order given; `latest` is each one's newest version, `live` the one in production."""
    with st.container(border=True, gap="xsmall"):
        for column, title in zip(st.columns(_WIDTHS), ("Model", "Quality", "Version"), strict=True):
            column.caption(title)
        for model in models:
            version = latest[model.id]
            name, quality, state = st.columns(_WIDTHS, vertical_alignment="center")
            with name:
                st.page_link(
                    "views/customer/model.py",
                    label=model.name,
                    icon=":material/deployed_code:",
                    query_params={"id": model.id},
                )
            value = figure(version.metric, version.value)
            quality.markdown(f":small[{value} :gray[{METRIC_NAMES[version.metric]}]]")
            with state:
                in_production = live.get(model.id) == version.id
                st.badge(
                    f"v{version.number} live" if in_production else f"v{version.number} not live",
                    color="green" if in_production else "gray",
                )
