"""Answers that a version is not sure enough of to give. Pure."""

from collections.abc import Sequence

from services.inference.predictions import EntityPrediction, LabelPrediction, LabelsPrediction, Prediction


def withhold(predictions: Sequence[Prediction], threshold: float | None) -> list[Prediction]:
    """The predictions with what is below the threshold withheld: a label, all labels, or single entities.

    A score is never withheld.
    """
    if threshold is None:
        return list(predictions)
    return [_withheld(prediction, threshold) for prediction in predictions]


def _withheld(prediction: Prediction, threshold: float) -> Prediction:
    if isinstance(prediction, LabelPrediction) and prediction.score < threshold:
        return prediction.model_copy(update={"label": None, "abstained": True})
    if isinstance(prediction, LabelsPrediction) and prediction.confidence < threshold:
        return prediction.model_copy(update={"labels": [], "abstained": True})
    if isinstance(prediction, EntityPrediction):
        unsure = [entity for entity in prediction.entities if entity.score < threshold]
        given = [entity for entity in prediction.entities if entity.score >= threshold]
        return prediction.model_copy(
            update={"entities": given, "withheld": unsure, "abstained": bool(unsure) and not given}
        )
    return prediction
