"""Entries of the audit log in words. Pure."""

from collections.abc import Mapping
from typing import Any

_NOUNS = {
    "api_key": "API key",
    "tenant": "Workspace",
    "dataset": "Data set",
    "dataset_version": "Data set version",
}
# What a person calls the subject by, the best word first.
_CALLED = ("name", "email", "filename", "model", "number")


def happened(action: str) -> str:
    """What was done: "API key created" for `api_key.created`."""
    noun, _, deed = action.partition(".")
    shown = _NOUNS.get(noun) or noun.replace("_", " ").capitalize()
    return f"{shown} {deed.replace('_', ' ')}"


def about(subject: str, detail: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """To what: a person's name out of `names` (by id), or what the entry says of the subject, or its id."""
    called = names.get(subject) or next((str(detail[key]) for key in _CALLED if detail.get(key)), subject)
    if number := detail.get("version_number"):
        return f"{called}, version {number}"
    return f"{called}, {detail['role']}" if detail.get("role") else called
