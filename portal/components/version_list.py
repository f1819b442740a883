"""The versions of a model, one a line, and the alias that moves between them."""

from collections.abc import Sequence

import streamlit as st

from portal import format as words
from portal import session
from portal.components.ask import ask
from portal.components.confirm import confirm
from portal.components.permission import refusal
from portal.components.status import status_badge
from portal.errors import shown
from portal.verdict import METRIC_NAMES, compared, difference, figure
from services import clock
from services.accounts.scope import Member, Role
from services.db import transaction
from services.registry import aliases
from services.registry.gate import Judgement, Verdict
from services.registry.tables import Model, ModelVersion

_WIDTHS = [2, 3, 2, 3]


def version_list(
    member: Member,
    model: Model,
    versions: Sequence[ModelVersion],
    *,
    live: str | None,
    chosen: ModelVersion,
) -> None:
    """Versions, newest first, each against the one before it; `live` is the id of the one in production."""
    why_not = refusal(member, Role.editor)
    with st.container(border=True, gap="xsmall"):
        titles = ("Version", METRIC_NAMES[versions[0].metric], "Trained", "Alias")
        for column, title in zip(st.columns(_WIDTHS), titles, strict=True):
            column.caption(title)
        for version, before in zip(versions, [*versions[1:], None], strict=True):
            number, quality, trained, alias = st.columns(_WIDTHS, vertical_alignment="center")
            number.button(
                f"**Version {version.number}**" if version is chosen else f"Version {version.number}",
                type="tertiary",
                help="Show its report",
                key=f"show:{version.id}",
                on_click=_show,
                args=(version.number,),
            )
            quality.markdown(f"{figure(version.metric, version.value)} {_delta(version, before)}")
            trained.markdown(f":gray[{words.ago(version.created_at, clock.now())}]")
            if version.id == live:
                with alias:
                    status_badge("production")
            elif alias.button(
                "Move production here",
                key=f"promote:{version.id}",
                wrap=True,
                disabled=why_not is not None,
                help=why_not,
            ):
                _ask(model, version)


def _show(number: int) -> None:
    st.query_params["version"] = str(number)


def _delta(version: ModelVersion, before: ModelVersion | None) -> str:
    if before is None:
        return ""
    by = version.value - before.value
    colour = "green" if by > 0 else "red" if by < 0 else "gray"
    return f":{colour}[{difference(version.metric, by)}]"


def _ask(model: Model, version: ModelVersion) -> None:
    with shown():
        with st.spinner("Comparing it with the version in production …"):
            judged = aliases.judged(session.member(), version_id=version.id)
        done = f"Production of {model.name} is version {version.number}."
        change = f"From the next request on, programs that call {model.name} get version {version.number}."
        if judged.verdict is Verdict.worse:
            ask(
                "Move production to a worse version?",
                loses=f"{compared(judged)} {change} Say why, and it is kept with the move.",
                label="Reason",
                verb="Move it all the same",
                act=lambda reason: _promote(judged, reason),
                done=done,
            )
        else:
            confirm(
                "Move production?",
                loses=f"{compared(judged)} {change} You can move it back at any time.",
                verb="Move production",
                act=lambda: _promote(judged, None),
                done=done,
            )


def _promote(judged: Judgement, reason: str | None) -> None:
    with transaction() as db:
        aliases.promote(db, session.member(), judged=judged, reason=reason)
