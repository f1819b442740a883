"""Predictions of any version: fetched and loaded when first asked for, kept while there is room, batched."""

import os
from collections.abc import Sequence
from functools import cache

# Before torch starts its threads: idle ones then sleep, and leave the cores to what answers requests.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from services.config import settings
from services.inference import engine
from services.inference.cache import VersionCache
from services.inference.folders import folder_of
from services.inference.predictions import Input, Prediction
from services.inference.withholding import withhold
from services.registry.tables import ModelVersion


def predict(
    version: ModelVersion, inputs: Sequence[Input], *, threshold: float | None = None
) -> list[Prediction]:
    """One prediction per input, in their order; what comes at the same time is answered together.

    threshold: the version's, as `registry.thresholds` has it; what is below it is withheld.

    Waits in the caller's thread, also for the version to be fetched and loaded; no transaction is open then.

    Raises:
        TextExpected, PairExpected: an input is not of the kind that the version's task reads.
        ArtefactDamaged: the version's files are not what was trained.
    """
    loaded = _versions().get(version.id, lambda: engine.load(folder_of(version)))
    return withhold(loaded.predict(inputs), threshold)


@cache
def _versions() -> VersionCache:
    return VersionCache(settings().model_cache_mb * 2**20)
