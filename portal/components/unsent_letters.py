"""Invoices and credit notes that did not go out by e-mail, and the way to send them again."""

import streamlit as st

from portal import format as words
from portal import session
from portal.components.notice import announce, complain
from portal.highlight import literal
from services.billing import letters
from services.billing.letters import Unsent
from services.db import transaction
from services.errors import ServiceError


def unsent_letters(found: list[Unsent]) -> None:
    """A row for each, with what stopped it."""
    with st.container(border=True, gap="xsmall"):
        for unsent in found:
            what, button = st.columns([6, 1], vertical_alignment="center")
            what.markdown(
                f"**{unsent.number}** to {literal(unsent.tenant.name)}  \n"
                f":gray[{literal(unsent.why)} Tried {words.count(unsent.attempts, 'time')}.]"
            )
            button.button(
                "Send again",
                key=f"send:{unsent.document_id}",
                on_click=_send_again,
                args=(unsent.tenant.id, unsent.document_id, unsent.number),
            )


def _send_again(tenant_id: str, document_id: str, number: str) -> None:
    try:
        with transaction() as db:
            letters.send_again(db, session.operator(), tenant_id=tenant_id, document_id=document_id)
    except ServiceError as error:
        complain(error)
    else:
        announce(f"{number} goes out within some minutes.")
