"""Invoices: the list, and one of them (`?invoice=` a number or a month) whose lines open their events."""

import streamlit as st

from portal import session
from portal.components.header import page_header
from portal.components.invoice_list import invoice_list
from portal.components.invoice_page import invoice_page

member = session.member()

if reference := st.query_params.get("invoice"):
    invoice_page(member, reference)
else:
    page_header("Invoices", "What you owe, line by line, down to single events.")
    invoice_list(member)
