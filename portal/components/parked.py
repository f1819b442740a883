"""Workspaces that are not billed, with what is wrong, and the way back."""

import streamlit as st

from portal import session
from portal.components.notice import announce, complain
from portal.highlight import literal
from services.billing import monitor
from services.billing.runs import Row
from services.db import transaction
from services.errors import ServiceError


def parked_list(rows: list[Row]) -> None:
    """A card for each, with every finding."""
    for row in rows:
        with st.container(border=True):
            st.markdown(f":red[:material/error:] **{literal(row.tenant.name)}** is not billed.")
            for finding in row.findings:
                st.markdown(f"- {literal(finding)}")
            st.button(
                "Release",
                key=f"release:{row.tenant.id}",
                help="Bill it again. What is still wrong parks it again at the next look.",
                on_click=_release,
                args=(row.tenant.id, row.tenant.name),
            )


def _release(tenant_id: str, name: str) -> None:
    try:
        with transaction() as db:
            monitor.release(db, session.operator(), tenant_id=tenant_id)
    except ServiceError as error:
        complain(error)
    else:
        announce(f"{name} is billed again.")
