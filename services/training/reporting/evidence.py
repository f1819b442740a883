"""What a report stands on besides its scores: all answers, what confidence is worth, and doubted labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from services.training.examples import MultiLabelExample, ScoreExample, TextExample, TokenExample
from services.training.reporting import (
    abstention,
    answered,
    calibration,
    labels_scores,
    spans,
    suspects,
    thresholds,
)
from services.training.reporting.answered import Answered, written
from services.training.reporting.report import Calibration, LearningCurve, SuspectCount
from services.training.reporting.study import Study
from services.training.reporting.suspects import KEPT, Suspect
from services.training.reporting.token_study import doubted_words
from services.training.tagging import Tagged

Logits = NDArray[np.float32]


@dataclass(frozen=True)
class Evidence:
    """Of one version; a task that has none of something leaves it out."""

    answered: list[Answered] = field(default_factory=list)
    calibration: Calibration | None = None
    suspects: list[Suspect] = field(default_factory=list)
    suspect_count: SuspectCount | None = None
    learning_curve: LearningCurve | None = None

    def with_study(self, study: Study) -> "Evidence":
        """The same with what a study found, of rows that were not looked at before."""
        doubts, count = study.suspects, study.count
        if self.suspect_count:
            doubts = sorted([*doubts, *self.suspects], key=lambda one: one.own)[:KEPT]
            count = SuspectCount(
                checked=count.checked + self.suspect_count.checked,
                doubted=count.doubted + self.suspect_count.doubted,
                splits=[*count.splits, *self.suspect_count.splits],
            )
        return replace(self, suspects=doubts, suspect_count=count, learning_curve=study.curve)

    def save(self, folder: Path) -> None:
        """Put the tables beside an artefact's weights."""
        answered.save(self.answered, folder)
        suspects.save(self.suspects, folder)


def probabilities(logits: Logits, temperature: float = 1.0) -> Logits:
    """(rows, labels), each row summing to one."""
    scaled = logits / temperature
    powers = np.exp(scaled - scaled.max(-1, keepdims=True))
    shares: Logits = powers / powers.sum(-1, keepdims=True)
    return shares


def sigmoid(logits: Logits, temperature: float = 1.0) -> Logits:
    """(rows, labels), each between zero and one."""
    shares: Logits = expit(logits / temperature)
    return shares


def of_texts(
    rows: Mapping[str, Sequence[TextExample]],
    labels: Sequence[str],
    logits: Mapping[str, Logits],
    temperature: float,
) -> Evidence:
    """The evidence of text classification; rows and logits (rows, labels) by split."""
    answers = [
        one
        for split, outputs in logits.items()
        for one in _texts(split, rows[split], labels, probabilities(outputs, temperature))
    ]
    plain = _texts("test", rows["test"], labels, probabilities(logits["test"]))
    return Evidence(answered=answers, calibration=_calibration(plain, answers, temperature))


def of_labelled(
    rows: Mapping[str, Sequence[MultiLabelExample]],
    labels: Sequence[str],
    logits: Mapping[str, Logits],
    temperature: float,
    chosen: NDArray[np.float32],
) -> Evidence:
    """The evidence of several labels; rows and logits (rows, labels) by split, thresholds (labels).

    Of calibration every yes and no of a label is an answer.
    """
    answers = [
        one
        for split, outputs in logits.items()
        for one in _labelled(split, rows[split], labels, sigmoid(outputs, temperature), chosen)
    ]
    truth = labels_scores.indicators([row.labels for row in rows["test"]], labels)
    before, after = (sigmoid(logits["test"], one) for one in (1.0, temperature))
    return Evidence(
        answered=answers,
        calibration=_reliable(
            (before.ravel(), truth.ravel()),
            (after.ravel(), truth.ravel()),
            temperature,
            by_label={
                label: calibration.expected_error(calibration.reliability(after[:, place], truth[:, place]))
                for place, label in enumerate(labels)
            },
        ),
    )


def of_scores(
    rows: Mapping[str, Sequence[ScoreExample]], answers: Mapping[str, NDArray[np.float64]]
) -> Evidence:
    """The evidence of regression; rows and answers (rows), in the customer's unit, by split."""
    return Evidence(
        answered=[
            Answered(
                split=split,
                row=row.row,
                text="\n".join(filter(None, (row.first, row.second))),
                truth=[f"{row.score:g}"],
                predicted=[f"{answer:.4g}"],
                confidence=[],
                scores=[row.score, float(answer)],
                off_by=abs(float(answer) - row.score),
            )
            for split, some in answers.items()
            for row, answer in zip(rows[split], some, strict=True)
        ]
    )


def of_sentences(
    sentences: Mapping[str, Sequence[TokenExample]],
    tags: Sequence[str],
    tagged: Mapping[str, Sequence[Tagged]],
    plain: Sequence[Tagged],
    temperature: float,
    words: Mapping[str, Sequence[Logits]],
) -> Evidence:
    """The evidence of token classification, by split.

    plain: the test split tagged without temperature; words: of each sentence (words, tags), probabilities.
    """
    answers = [one for split, some in tagged.items() for one in _sentences(split, sentences[split], some)]
    doubts, doubted = doubted_words(sentences, tags, words)
    checked = sum(len(sentences[split]) for split in words)
    return Evidence(
        answered=answers,
        calibration=_calibration(_sentences("test", sentences["test"], plain), answers, temperature),
        suspects=doubts,
        suspect_count=SuspectCount(checked=checked, doubted=doubted, splits=list(tagged)),
    )


def _texts(split: str, rows: Sequence[TextExample], labels: Sequence[str], scores: Logits) -> list[Answered]:
    return [
        Answered(
            split=split,
            row=row.row,
            text=row.text,
            truth=[row.label],
            predicted=[labels[best]],
            confidence=[own[best]],
            scores=own,
        )
        for row, own, best in zip(rows, scores.tolist(), scores.argmax(1), strict=True)
    ]


def _labelled(
    split: str,
    rows: Sequence[MultiLabelExample],
    labels: Sequence[str],
    probabilities: Logits,
    chosen: NDArray[np.float32],
) -> list[Answered]:
    given = thresholds.given(probabilities, chosen)
    return [
        Answered(
            split=split,
            row=row.row,
            text=row.text,
            truth=list(row.labels),
            predicted=said,
            confidence=own[yes].tolist(),
            scores=own.tolist(),
            certainty=float(whole),
        )
        for row, said, own, yes, whole in zip(
            rows,
            labels_scores.named(given, labels),
            probabilities,
            given,
            abstention.certainty(probabilities, given),
            strict=True,
        )
    ]


def _sentences(split: str, sentences: Sequence[TokenExample], tagged: Sequence[Tagged]) -> list[Answered]:
    answers = []
    for sentence, (tags, certain) in zip(sentences, tagged, strict=True):
        found = spans.spans(tags)
        answers.append(
            Answered(
                split=split,
                row=sentence.row,
                text=" ".join(sentence.tokens),
                tokens=list(sentence.tokens),
                truth=[written(span) for span in spans.spans(sentence.tags)],
                predicted=[written(span) for span in found],
                # As predictions have it: the mean over an entity's words.
                confidence=[float(np.mean(certain[span.start : span.end])) for span in found],
            )
        )
    return answers


def _calibration(plain: Sequence[Answered], answers: Sequence[Answered], temperature: float) -> Calibration:
    test = [one for one in answers if one.split == "test"]
    return _reliable(answered.units(plain), answered.units(test), temperature)


Units = tuple[NDArray[np.floating], NDArray[np.bool_]]


def _reliable(
    plain: Units, given: Units, temperature: float, by_label: dict[str, float] | None = None
) -> Calibration:
    before, after = calibration.reliability(*plain), calibration.reliability(*given)
    return Calibration(
        temperature=temperature,
        error_before=calibration.expected_error(before),
        error=calibration.expected_error(after),
        before=before,
        after=after,
        by_label=by_label or {},
    )
