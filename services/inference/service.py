"""Predictions of any version: fetched and loaded when first asked for, kept while there is room, batched."""

from services.errors import Unavailable
from services.inference.predictions import Prediction
from services.registry.tables import ModelVersion


def predict(version: ModelVersion, texts: list[str]) -> list[Prediction]:
    """Provisional."""
    raise Unavailable("Not there yet.")
