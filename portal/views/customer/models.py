"""Models: what there is, how good, and what is live."""

import streamlit as st

from portal import session
from portal.components.empty import empty_state
from portal.components.header import page_header
from portal.components.model_list import model_list
from portal.components.permission import refusal
from services.accounts.scope import Role
from services.db import reading
from services.registry import service as registry

member = session.member()
why_not = refusal(member, Role.editor)

with page_header(
    "Models", "What your jobs made. Programs call a model by its name and get the version in production."
):
    if st.button(
        "Train a model", type="primary", icon=":material/add:", disabled=why_not is not None, help=why_not
    ):
        st.switch_page("views/customer/new_job.py")

with reading() as db:
    standings = registry.standings(db, member)

if standings:
    model_list(standings)
else:
    empty_state(
        "No models yet",
        "A job makes one. It takes a data set and a minute or two; you see the price first.",
        icon=":material/deployed_code:",
    )
