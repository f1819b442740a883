"""What Streamlit runs at every step of every browser: who is it, which page, and how failures look."""

from pathlib import Path

import streamlit as st

from portal import navigation, session
from portal.components.notice import show_notices
from portal.components.sidebar import person_block
from portal.errors import show, shown
from services.errors import ServiceError

STATIC = Path(__file__).parent / "static"

st.set_page_config(page_title="Tuneport", page_icon=str(STATIC / "icon.svg"), layout="wide")

try:
    here = session.visit()
    page = navigation.for_visit(here)
except session.SignedOut:
    navigation.for_strangers().run()
    st.stop()
except ServiceError as error:
    # Known, but let in nowhere: the only way from here is out.
    navigation.for_strangers()
    show(error)
    if st.button("Sign out", icon=":material/logout:"):
        st.logout()
    st.stop()

session.stay()
st.logo(str(STATIC / "logo.svg"), icon_image=str(STATIC / "icon.svg"), size="large")
person_block(here)
show_notices()
with shown():
    page.run()
