"""The foot of the sidebar: which workspace, who is signed in, and the way out."""

import streamlit as st

from portal import session
from portal.highlight import literal
from portal.session import Visit


def person_block(here: Visit) -> None:
    """The workspace (to choose, where there are several), the person, and sign-out."""
    with st.sidebar:
        if here.workspaces:
            _workspace(here)
        with st.container(horizontal=True, vertical_alignment="center", wrap=False):
            st.markdown(
                f"**{literal(here.user.name)}**  \n:small[:gray[{literal(here.user.email)}]]", width="stretch"
            )
            if st.button("", icon=":material/logout:", type="tertiary", help="Sign out", key="sign_out"):
                st.logout()


def _workspace(here: Visit) -> None:
    current, role = session.chosen(here)
    if current.suspended_at is not None:
        st.error(
            "This workspace is suspended: nothing can be started in it. Write to us to have it opened again.",
            icon=":material/block:",
        )
    if len(here.workspaces) == 1:
        st.caption(f":material/corporate_fare: {literal(current.name)} · {role}")
        return
    names = {tenant.id: tenant.name for tenant, _ in here.workspaces}
    st.query_params[session.WORKSPACE] = current.id
    st.selectbox(
        "Workspace",
        list(names),
        index=list(names).index(current.id),
        format_func=names.__getitem__,
        key="workspace_choice",
        on_change=lambda: session.choose(st.session_state["workspace_choice"]),
    )
