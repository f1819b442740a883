"""API keys: create one (shown once), see which are used, revoke them; and the first request to copy."""

import streamlit as st

from portal import format as words
from portal import session
from portal.components.confirm import confirm
from portal.components.empty import empty_state
from portal.components.header import page_header
from portal.components.notice import complain
from portal.components.snippets import snippet_tabs
from portal.components.status import status_badge
from portal.highlight import literal
from services import clock
from services.accounts import keys, team
from services.accounts.scope import Role
from services.accounts.tables import ApiKey
from services.db import reading, transaction
from services.errors import ServiceError
from services.registry import service as registry

WIDTHS = [3.0, 3.0, 2.0, 2.2, 2.6]
# In the session state: whether the dialog is open, and the secret of the key that it has just made.
OPEN, SECRET = "key_dialog_open", "key_secret"

member = session.member()
with reading() as db:
    known = keys.list_keys(db, member)
    models = registry.models(db, member)
    names = {colleague.user_id: colleague.name for colleague in team.colleagues(db, member)}
model_name = models[0].name if models else "your-model"
live = [key for key in known if key.revoked_at is None]
revoked = [key for key in known if key.revoked_at is not None]


def create() -> None:
    """Make the key, and leave its secret for the dialog to show."""
    try:
        with transaction() as db:
            _, secret = keys.create_key(db, session.member(), name=st.session_state["key_name"])
    except ServiceError as error:
        complain(error)
        st.session_state[OPEN] = False
    else:
        st.session_state[SECRET] = secret


def close() -> None:
    """Forget the secret: from here on nobody can show it again."""
    st.session_state[OPEN] = False
    st.session_state.pop(SECRET, None)


@st.dialog("Create an API key", width="medium", on_dismiss=close)
def creation() -> None:
    """Ask for a name, then show the secret once."""
    secret = st.session_state.get(SECRET)
    if secret is None:
        with st.form("new_key", border=False):
            st.text_input(
                "Name",
                key="key_name",
                max_chars=80,
                placeholder="Support inbox, production",
                help="What will use it, so that you know later which one to revoke.",
            )
            st.form_submit_button("Create key", type="primary", on_click=create)
        if not st.session_state[OPEN]:
            st.rerun()
        return
    st.write("Copy the key now. We keep only its fingerprint, so **it cannot be shown again**.")
    st.code(secret, language=None)
    st.caption("Put it into the environment of your program, for example as TUNEPORT_API_KEY.")
    if st.button("Done", type="primary", on_click=close):
        st.rerun()


def key_row(key: ApiKey) -> None:
    """One key: what it is for, who made it, when it was last used, and its end."""
    name, made, used, state, end = st.columns(WIDTHS, vertical_alignment="center", gap="xsmall")
    name.markdown(f"**{literal(key.name)}**  \n:small[:gray[{key.hint}…]]")
    by = f" by {literal(names[key.created_by])}" if key.created_by in names else ""
    made.caption(f"{words.ago(key.created_at, clock.now())}{by}")
    used.caption(words.ago(key.last_used_at, clock.now()) if key.last_used_at else "never")
    with state:
        status_badge("active" if key.revoked_at is None else "revoked")
    with end:
        if key.revoked_at is None and member.may(Role.editor) and st.button("Revoke", key=f"revoke_{key.id}"):
            confirm(
                f"Revoke {literal(key.name)}?",
                loses="Programs that use this key are refused from the next request on. It cannot be undone.",
                verb="Revoke key",
                act=lambda: revoke(key.id),
                done=f"{key.name} is revoked.",
            )


def revoke(key_id: str) -> None:
    """End a key."""
    with transaction() as db:
        keys.revoke_key(db, session.member(), key_id=key_id)


def key_table(shown: list[ApiKey]) -> None:
    """Keys, one a line."""
    with st.container(border=True, gap="small"):
        titles = ("Name", "Created", "Last used", "State", "")
        for column, title in zip(st.columns(WIDTHS, gap="xsmall"), titles, strict=True):
            column.caption(title)
        for key in shown:
            key_row(key)


with page_header("API keys", "Programs ask your models with a key. A key may do what an editor may."):
    if member.may(Role.editor) and st.button("Create key", type="primary", icon=":material/add:"):
        st.session_state[OPEN] = True
if st.session_state.get(OPEN):
    creation()

if live:
    key_table(live)
else:
    empty_state(
        "No live keys",
        "Create one for each program, so that you can revoke it alone.",
        icon=":material/key:",
    )
if revoked:
    with st.expander(f"{words.count(len(revoked), 'revoked key')}"):
        key_table(revoked)

st.subheader("Your first request", anchor=False)
snippet_tabs(model_name, "My card has not arrived yet.")
