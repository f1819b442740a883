from services.inference.predictions import (
    Entity,
    EntityPrediction,
    LabelPrediction,
    LabelsPrediction,
    ScorePrediction,
)
from services.inference.withholding import withhold

SURE = LabelPrediction(label="a", score=0.9, scores={"a": 0.9, "b": 0.1})
UNSURE = LabelPrediction(label="b", score=0.6, scores={"a": 0.4, "b": 0.6})


def entity(score: float) -> Entity:
    return Entity(type="city", text="Rome", start=0, end=4, score=score)


def test_an_unsure_label_is_withheld_and_its_scores_are_told() -> None:
    given, withheld = withhold([SURE, UNSURE], 0.8)

    assert given == SURE
    assert (withheld.label, withheld.abstained, withheld.scores) == (None, True, UNSURE.scores)


def test_an_answer_at_the_threshold_is_given() -> None:
    assert withhold([UNSURE], 0.6) == [UNSURE]


def test_without_a_threshold_everything_is_given() -> None:
    assert withhold([UNSURE], None) == [UNSURE]


def test_unsure_entities_are_told_apart() -> None:
    (some,) = withhold([EntityPrediction(entities=[entity(0.9), entity(0.5)])], 0.8)
    (none,) = withhold([EntityPrediction(entities=[entity(0.5)])], 0.8)

    assert ([one.score for one in some.entities], [one.score for one in some.withheld]) == ([0.9], [0.5])
    assert (some.abstained, none.abstained) == (False, True)


def test_several_labels_are_withheld_together() -> None:
    sure, unsure = (
        LabelsPrediction(labels=["a"], confidence=likely, scores={"a": 0.9}, thresholds={"a": 0.3})
        for likely in (0.8, 0.7)
    )

    given, withheld = withhold([sure, unsure], 0.8)

    assert given == sure
    assert (withheld.labels, withheld.abstained, withheld.scores) == ([], True, unsure.scores)


def test_a_score_is_never_withheld() -> None:
    score = ScorePrediction(score=1.0, error=0.1)

    assert withhold([score], 0.99) == [score]
