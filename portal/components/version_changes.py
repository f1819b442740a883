"""What changed from the version before: what was done to the rows, and which of them differ."""

import streamlit as st

from portal import format as words
from portal.components.change_list import change_list
from portal.components.examples import example_rows
from services.datasets import files
from services.datasets.differing import Difference
from services.datasets.fixes import Change
from services.datasets.tables import DatasetVersion

_KINDS = {
    "added": "came",
    "removed": "went",
    "relabelled": "have another answer",
    "moved": "are in another split",
}
_SHOWN = 8


def version_changes(version: DatasetVersion, before: DatasetVersion | None) -> None:
    """The fixes of a version, and its rows beside those of the version `before`, if there is one."""
    if version.changes:
        st.markdown("**What was done to the file's rows**")
        change_list([Change.model_validate(change) for change in version.changes])
    elif before is None:
        st.caption("Nothing was done to the rows: they are as the file has them.")
    if before is None:
        return
    with st.spinner("Comparing the versions …"):
        found = files.difference(before, version)
    counts = [(kind, getattr(found, kind).count) for kind in _KINDS]
    told = ", ".join(f"{words.count(count, 'row')} {_KINDS[kind]}" for kind, count in counts if count)
    st.markdown(f"**Since version {before.number}:** {told or 'the rows are the same'}.")
    _rows(found, version)


def _rows(found: Difference, version: DatasetVersion) -> None:
    for kind, verb in _KINDS.items():
        differing = getattr(found, kind)
        if differing.count:
            with st.expander(f"{words.count(differing.count, 'row')} {verb}"):
                example_rows(differing.first, version.labels, shown=_SHOWN)
                if differing.count > len(differing.first):
                    st.caption(f"The first {len(differing.first)} of them.")
