"""The tables that a version keeps beside its weights. Never called inside a transaction."""

import hashlib

from services import storage
from services.errors import NotFound
from services.registry.errors import ArtefactDamaged
from services.registry.tables import ModelVersion
from services.training.reporting import answered, suspects
from services.training.reporting.answered import ANSWERED, Answered
from services.training.reporting.suspects import SUSPECTS, Suspect


def answers(version: ModelVersion) -> list[Answered]:
    """Every row of validation and test with its answers; none of versions from before they were kept.

    Raises:
        ArtefactDamaged: the table is missing or changed.
    """
    digest = version.manifest.get(ANSWERED)
    return answers_at(version.id, version.storage_prefix, digest) if digest else []


def answers_at(version_id: str, prefix: str, digest: str) -> list[Answered]:
    """`answers` of a version whose files lie below a prefix; digest: the table's sha256."""
    return answered.read(_verified(version_id, f"{prefix}/{ANSWERED}", digest))


def doubts_at(version_id: str, prefix: str, digest: str) -> list[Suspect]:
    """The rows whose label is probably wrong, the most doubtful first; as `answers_at`."""
    return suspects.read(_verified(version_id, f"{prefix}/{SUSPECTS}", digest))


def _verified(version_id: str, key: str, digest: str) -> bytes:
    try:
        content = storage.get(key)
    except NotFound as reason:
        raise ArtefactDamaged(version_id) from reason
    if hashlib.sha256(content).hexdigest() != digest:
        raise ArtefactDamaged(version_id)
    return content
