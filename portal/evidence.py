"""What a version keeps beside its weights, read once for all who look at it."""

from dataclasses import replace

import streamlit as st

from services.registry import evidence
from services.registry.tables import ModelVersion
from services.training.reporting.answered import ANSWERED, Answered
from services.training.reporting.suspects import SUSPECTS, Suspect


def answers(version: ModelVersion) -> list[Answered]:
    """Every answer on validation and test, without the scores of all labels; none where none were kept."""
    digest = version.manifest.get(ANSWERED)
    return _answers(version.tenant_id, version.id, version.storage_prefix, digest) if digest else []


def doubts(version: ModelVersion) -> list[Suspect]:
    """The rows whose label is probably wrong, the most doubtful first."""
    digest = version.manifest.get(SUSPECTS)
    return _doubts(version.tenant_id, version.id, version.storage_prefix, digest) if digest else []


@st.cache_data(ttl="30m", max_entries=32, show_spinner="Reading every answer …")
def _answers(tenant_id: str, version_id: str, prefix: str, digest: str) -> list[Answered]:  # noqa: ARG001
    rows = evidence.answers_at(version_id, prefix, digest)
    return [row if row.off_by is not None else replace(row, scores=[]) for row in rows]


@st.cache_data(ttl="30m", max_entries=32, show_spinner=False)
def _doubts(tenant_id: str, version_id: str, prefix: str, digest: str) -> list[Suspect]:  # noqa: ARG001
    return evidence.doubts_at(version_id, prefix, digest)
