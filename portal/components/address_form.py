"""How a workspace is addressed on its invoices."""

import streamlit as st
from pydantic import ValidationError

from portal import session
from portal.components.notice import announce, complain
from services.billing.profiles import Address, set_address
from services.billing.snapshot import Language
from services.billing.tables import BillingProfile
from services.db import transaction
from services.errors import ServiceError

_LANGUAGES = {Language.english: "English", Language.german: "Deutsch", Language.chinese: "中文"}


def address_form(kept: BillingProfile) -> None:
    """The fields, as they are now."""
    with st.form("address", border=False):
        first, second = st.columns(2)
        said = {
            "legal_name": first.text_input("Company", kept.legal_name),
            "vat_id": second.text_input(
                "VAT id", kept.vat_id, help="With its country’s letters, such as DE136695976."
            ),
            "address": st.text_area("Street and number", kept.address, height=68),
        }
        first, second, third = st.columns([1, 2, 1])
        said["postcode"] = first.text_input("Postcode", kept.postcode)
        said["city"] = second.text_input("City", kept.city)
        said["country"] = third.text_input("Country", kept.country, help="Two letters, such as DE.")
        first, second, third = st.columns([2, 1, 1])
        said["email"] = first.text_input("Invoices and reminders by e-mail to", kept.email)
        said["reference"] = second.text_input(
            "Your reference", kept.reference, help="Such as an order number."
        )
        language = third.selectbox(
            "Language",
            list(_LANGUAGES),
            index=list(_LANGUAGES).index(Language(kept.language)),
            format_func=_LANGUAGES.__getitem__,
        )
        if st.form_submit_button("Save address"):
            _save(said, language)


def _save(said: dict[str, str], language: Language) -> None:
    try:
        with transaction() as db:
            set_address(db, session.member(), Address(**said, language=language))
    except ValidationError as problem:
        st.error(problem.errors()[0]["msg"], icon=":material/error:")
        return
    except ServiceError as error:
        complain(error)
    else:
        announce("Your next invoice is addressed like this.")
    st.rerun()
