"""The tables that a version keeps beside its weights. Never called inside a transaction."""

import hashlib

from services import storage
from services.errors import NotFound
from services.registry.errors import ArtefactDamaged
from services.registry.tables import ModelVersion
from services.training import answered, suspects
from services.training.answered import ANSWERED, Answered
from services.training.suspects import SUSPECTS, Suspect


def answers(version: ModelVersion) -> list[Answered]:
    """Every row of validation and test with its answers; none of versions from before they were kept.

    Raises:
        ArtefactDamaged: the table is missing or changed.
    """
    return answered.read(_table(version, ANSWERED)) if ANSWERED in version.manifest else []


def doubts(version: ModelVersion) -> list[Suspect]:
    """The rows whose label is probably wrong, the most doubtful first.

    Raises:
        ArtefactDamaged: the table is missing or changed.
    """
    return suspects.read(_table(version, SUSPECTS)) if SUSPECTS in version.manifest else []


def _table(version: ModelVersion, name: str) -> bytes:
    try:
        content = storage.get(f"{version.storage_prefix}/{name}")
    except NotFound as reason:
        raise ArtefactDamaged(version.id) from reason
    if hashlib.sha256(content).hexdigest() != version.manifest[name]:
        raise ArtefactDamaged(version.id)
    return content
