"""One data set (`?id=`), or an uploaded file that is to become one (`?upload=`)."""

import streamlit as st

from portal import session
from portal.components.dataset_check import LIST, dataset_check
from portal.components.dataset_version import dataset_page

member = session.member()

if upload_id := st.query_params.get("upload"):
    dataset_check(member, upload_id)
elif dataset_id := st.query_params.get("id"):
    dataset_page(member, dataset_id)
else:
    st.switch_page(LIST)
