"""What the doctor found: the worst first, each with its spots, its reasons and its fix."""

from collections.abc import Callable, Sequence
from typing import Literal

import streamlit as st

from portal import format as words
from portal.highlight import literal
from services.datasets.examination import Told
from services.datasets.findings.catalogue import FixName, Severity
from services.datasets.findings.finding import Excerpt
from services.datasets.fixes import Fix

_LOOKS: dict[Severity, tuple[str, Literal["red", "orange", "blue"], str]] = {
    Severity.error: ("Error", "red", ":material/error:"),
    Severity.warning: ("Warning", "orange", ":material/warning:"),
    Severity.note: ("Note", "blue", ":material/info:"),
}
_VERBS = {
    FixName.drop_rows: "Leave these rows out",
    FixName.clean: "Clean the texts",
    FixName.trim: "Trim",
    FixName.map_labels: "Merge the labels",
    FixName.dedupe: "Keep the first of each",
    FixName.move_leaks: "Move them to train",
    FixName.redact: "Redact",
    FixName.edit_row: "Change the row",
}
_NUMBERS_SHOWN = 30


def finding_list(findings: Sequence[Told], *, why_not: str | None, fix: Callable[[Fix], None]) -> None:
    """Every finding; `fix` does what its button says, `why_not` is the reason why the person may not."""
    if not findings:
        st.success("Nothing stands out. Every check found the data in order.", icon=":material/check_circle:")
        return
    st.caption(_summary(findings))
    for told in findings:
        word, colour, icon = _LOOKS[told.severity]
        rows = f" · {words.count(told.count, 'row')}" if told.rows else ""
        with st.expander(
            f":{colour}-badge[{icon} {word}] **{literal(told.title)}**{rows}",
            expanded=told.severity is Severity.error,
        ):
            _finding(told, why_not, fix)


def _summary(findings: Sequence[Told]) -> str:
    counts = {severity: sum(told.severity is severity for told in findings) for severity in Severity}
    return ", ".join(
        words.count(count, _LOOKS[severity][0].lower()) for severity, count in counts.items() if count
    )


def _finding(told: Told, why_not: str | None, fix: Callable[[Fix], None]) -> None:
    if told.detail:
        st.markdown(literal(told.detail))
    for excerpt in told.excerpts:
        st.markdown(f":small[:gray[row {excerpt.row:,}]] {_marked(excerpt)}")
    st.markdown(f"**Why it matters.** {literal(told.why)}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**What to do.** {literal(told.what_to_do)}")
        st.space("stretch")
        if told.fix is not None and st.button(
            _VERBS[told.fix.name],
            icon=":material/build:",
            key=f"fix:{told.code}",
            disabled=why_not is not None,
            help=why_not,
        ):
            fix(told.fix)
    if told.rows:
        numbers = ", ".join(f"{row:,}" for row in told.rows[:_NUMBERS_SHOWN])
        more = " …" if told.count > _NUMBERS_SHOWN else ""
        st.caption(f"{'Row' if len(told.rows) == 1 else 'Rows'} {numbers}{more}")


def _marked(excerpt: Excerpt) -> str:
    """The stretch of text with the spot on a coloured ground; on one line."""
    before, spot, after = (
        excerpt.text[: excerpt.start],
        excerpt.text[excerpt.start : excerpt.end],
        excerpt.text[excerpt.end :],
    )
    ground = f":orange-background[{literal(spot)}]" if spot.strip() else ""
    return f"{_line(before)}{ground}{_line(after)}"


def _line(text: str) -> str:
    """`literal` keeps no blank at the end, and a line break would tear the excerpt apart."""
    flat = " ".join(text.split("\n"))
    return literal(flat) + (" " if flat.endswith(" ") else "")
