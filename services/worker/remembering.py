"""Brings a run what earlier runs have read of its data set, and takes along what it has read itself.

It lies in the object store below workspace and data set, and goes with the data set.
"""

import logging

from services import storage
from services.config import settings
from services.datasets import service as datasets
from services.datasets.tables import DatasetVersion
from services.errors import NotFound
from services.training.bases import catalogue
from services.training.process.folder import RunFolder

log = logging.getLogger(__name__)


def fetch(version: DatasetVersion, base_model: str, folder: RunFolder) -> None:
    """Put into a run's folder what the base model has read of the data set before, if anything."""
    try:
        folder.remembered.write_bytes(storage.get(_key(version, base_model)))
    except NotFound:
        return


def keep(version: DatasetVersion, base_model: str, folder: RunFolder) -> None:
    """Store what the base model has read of the data set by now; where that fails, it is read again."""
    if not folder.remembered.exists():
        return
    try:
        storage.put_file(_key(version, base_model), folder.remembered)
        _make_room(version.tenant_id)
    except Exception:
        log.warning("what was read of %s is not remembered", version.id, exc_info=True)


def _make_room(tenant_id: str) -> None:
    """Delete what was used longest ago of a workspace, beyond what it may take."""
    room = settings().remembered_mb * 2**20
    newest_first = sorted(
        storage.below(datasets.readings_prefix(tenant_id)), key=lambda one: one.written_at, reverse=True
    )
    for stored in newest_first:
        room -= stored.bytes
        if room < 0:
            storage.delete(stored.key)


def _key(version: DatasetVersion, base_model: str) -> str:
    entry = catalogue.get(base_model)
    prefix = datasets.readings_prefix(version.tenant_id)
    return f"{prefix}/{version.dataset_id}/{entry.id}-{entry.sha256[:16]}.safetensors"
