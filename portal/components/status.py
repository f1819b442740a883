"""States as a word and a colour: the same colour for the same thing on every page."""

from dataclasses import dataclass
from typing import Literal

import streamlit as st

Colour = Literal["red", "orange", "yellow", "blue", "green", "violet", "gray", "primary"]


@dataclass(frozen=True)
class Look:
    """How a state is shown."""

    word: str
    colour: Colour
    icon: str


_LOOKS = {
    # jobs
    "queued": Look("Queued", "gray", ":material/schedule:"),
    "running": Look("Running", "blue", ":material/play_circle:"),
    "stopping": Look("Stopping", "orange", ":material/stop_circle:"),
    "finishing": Look("Finishing", "blue", ":material/save:"),
    "succeeded": Look("Succeeded", "green", ":material/check_circle:"),
    "failed": Look("Failed", "red", ":material/error:"),
    "cancelled": Look("Cancelled", "gray", ":material/cancel:"),
    # invoices
    "draft": Look("Draft", "gray", ":material/edit_note:"),
    "open": Look("Open", "blue", ":material/schedule:"),
    "paid": Look("Paid", "green", ":material/check_circle:"),
    "void": Look("Void", "gray", ":material/block:"),
    "uncollectible": Look("Uncollectible", "red", ":material/error:"),
    # models
    "production": Look("Production", "green", ":material/rocket_launch:"),
    # keys
    "active": Look("Active", "green", ":material/check_circle:"),
    "revoked": Look("Revoked", "gray", ":material/block:"),
    # members
    "owner": Look("Owner", "violet", ":material/shield_person:"),
    "editor": Look("Editor", "blue", ":material/edit:"),
    "billing": Look("Billing", "orange", ":material/receipt_long:"),
    "viewer": Look("Viewer", "gray", ":material/visibility:"),
    "invited": Look("Invited", "orange", ":material/mail:"),
    # workers and workspaces
    "alive": Look("Alive", "green", ":material/check_circle:"),
    "silent": Look("Silent", "red", ":material/error:"),
    "trial": Look("Trial", "orange", ":material/hourglass_top:"),
    "suspended": Look("Suspended", "red", ":material/block:"),
}


def status_badge(state: str, *, icon: bool = True) -> None:
    """A badge for a state that is known here: of a job, an invoice, a key, a member, a worker."""
    look = _LOOKS[state]
    st.badge(look.word, color=look.colour, icon=look.icon if icon else None)


def status_words(state: str) -> str:
    """The same badge as Markdown, for use within a sentence."""
    look = _LOOKS[state]
    return f":{look.colour}-badge[{look.icon} {look.word}]"
