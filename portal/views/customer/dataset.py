"""One data set (`?id=`), or an uploaded file that is to become one (`?upload=`)."""

import streamlit as st

from portal import session
from portal.components.dataset_check import LIST, dataset_check
from portal.components.dataset_version import dataset_page
from portal.components.empty import empty_state
from portal.components.header import page_header

member = session.member()

if upload_id := st.query_params.get("upload"):
    dataset_check(member, upload_id)
elif dataset_id := st.query_params.get("id"):
    dataset_page(member, dataset_id)
else:
    page_header("Data set", back=(LIST, "Data sets"))
    with empty_state("No data set chosen", "Pick one from the list, or upload a file there."):
        st.page_link(LIST, label="Data sets", icon=":material/table_chart:")
