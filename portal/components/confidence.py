"""How far confidence can be trusted, and from which confidence on the version answers at all."""

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from portal import format as words
from portal import session
from portal.components.chart import chart
from portal.components.notice import announce
from portal.components.permission import refusal
from portal.errors import shown
from portal.highlight import literal
from portal.report_charts import coverage, reliability
from services import clock
from services.accounts import team
from services.accounts.scope import Member, Role
from services.db import reading, transaction
from services.registry import thresholds
from services.registry.tables import ModelVersion, ThresholdChoice
from services.training.reporting import abstention
from services.training.reporting.answered import Answered, units
from services.training.reporting.report import Calibration

_SLIDER, _AIMS = "threshold", {"90 %": 0.9, "95 %": 0.95, "98 %": 0.98, "99 %": 0.99}
_SPLITS = {"Validation": "validation", "Test": "test"}

Units = Mapping[str, tuple[np.ndarray, np.ndarray]]


def calibration_part(told: Calibration) -> None:
    """The reliability diagram, the error before and after, and what both mean."""
    chart(reliability(told), key="reliability")
    answer = "Every label of every text is an answer: given or not. " if told.by_label else ""
    st.caption(
        f"{answer}A point is a bin of answers: how sure the model was, and how many were right; the larger, "
        "the more answers. The expected calibration error is the mean distance over fifteen bins of equal "
        f"width (Guo et al. 2017), on the test split. The temperature {told.temperature:.2f} was fitted on "
        "the validation split; it stands in the version, so that playground, API and downloads say the same "
        "probabilities."
    )


@st.fragment
def threshold_part(member: Member, version: ModelVersion, answers: Sequence[Answered]) -> None:
    """What each threshold buys, and the one that this version has."""
    with reading() as db:
        choices = thresholds.history(db, member, version_id=version.id)
        people = {one.user_id: one.name or one.email for one in team.colleagues(db, member)}
    now = choices[0].threshold if choices else None
    known: Units = {
        name: units([row for row in answers if row.split == split]) for name, split in _SPLITS.items()
    }
    entities = any(row.tokens for row in answers)
    several = any(row.certainty is not None for row in answers)
    unit = "found entities" if entities else "rows"
    what = "entities" if entities else "labels" if several else "label"
    if _SLIDER not in st.session_state and _SLIDER not in st.query_params:
        st.session_state[_SLIDER] = now or 0.0
    st.markdown("**Answer only when sure**")
    st.caption(
        f"Below the threshold the version withholds its {what} and says so, "
        "in the playground, the API and files alike; a person can take those over. "
        + (
            "Of several labels it is how likely all of a text’s are right together: each that is given, and "
            "each that is not. "
            if several
            else ""
        )
        + (f"Now it answers from **{now:.2f}** on." if now else "Now it answers **always**.")
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.segmented_control(
            "Right at least, on validation",
            list(_AIMS),
            key="aim",
            on_change=_aim,
            args=(known["Validation"],),
        )
        chosen = st.slider("Threshold", 0.0, 1.0, step=0.01, key=_SLIDER, bind="query-params")
    curves = {name: abstention.curve(*some) for name, some in known.items()}
    right = "Share with all labels right" if several else "Share that is right"
    chart(
        coverage(curves, abstention.at(chosen, *known["Test"]), unit=unit, right=right),
        key="coverage",
    )
    why_not = refusal(member, Role.editor)
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            f"Answer from {chosen:.2f} on" if chosen else "Answer always",
            icon=":material/check:",
            disabled=why_not is not None or chosen == (now or 0.0),
            help=why_not or "From the next request on, for this version.",
        ):
            _choose(version.id, chosen)
    if choices:
        with st.expander(f"How the threshold was chosen ({len(choices)})", icon=":material/history:"):
            for choice in choices:
                st.markdown(_line(choice, people))


def _aim(known: tuple[np.ndarray, np.ndarray]) -> None:
    """Set the slider to the threshold that reaches the share of right answers on validation."""
    aim = st.session_state["aim"]
    if aim is None:
        return
    found = abstention.threshold_for(_AIMS[aim], *known)
    if found is None:
        announce(f"No threshold makes {aim} of the answers right.", icon=":material/info:")
    else:
        # Up to the slider's next step, so that what the aim allows is not undercut.
        st.session_state[_SLIDER] = min(1.0, -(-found * 100 // 1) / 100)


def _choose(version_id: str, threshold: float) -> None:
    with shown():
        with transaction() as db:
            thresholds.choose(db, session.member(), version_id=version_id, threshold=threshold or None)
        announce(f"This version answers from {threshold:.2f} on." if threshold else "It answers always.")
        st.rerun()


def _line(choice: ThresholdChoice, people: Mapping[str, str]) -> str:
    who = literal(people.get(choice.chosen_by or "", "a program"))
    what = f"from {choice.threshold:.2f} on" if choice.threshold else "always"
    return f"**{what}** · {who} · :gray[{words.ago(choice.chosen_at, clock.now())}]"
