"""Models, one a line: what programs get by its name, how good that is, and whether there is a newer one."""

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from portal.verdict import METRIC_NAMES, figure
from services.registry.service import Standing
from services.registry.tables import ModelVersion

_WIDTHS = [4, 3, 3]


def model_list(standings: Sequence[Standing]) -> None:
    """Models in the order given."""
    with st.container(border=True, gap="xsmall"):
        for column, title in zip(st.columns(_WIDTHS), ("Model", "In production", "Newer"), strict=True):
            column.caption(title)
        for standing in standings:
            name, production, newer = st.columns(_WIDTHS, vertical_alignment="center")
            with name:
                st.page_link(
                    "views/customer/model.py",
                    label=standing.model.name,
                    icon=":material/deployed_code:",
                    query_params={"id": standing.model.id},
                )
            with production:
                _version(standing.production, "green")
            if standing.newest.id != standing.production.id:
                with newer:
                    _version(standing.newest, "gray")


def _version(version: ModelVersion, colour: Literal["green", "gray"]) -> None:
    value = figure(version.metric, version.value)
    st.markdown(
        f":{colour}-badge[v{version.number}] :small[{value} :gray[{METRIC_NAMES[version.metric]}]]",
    )
