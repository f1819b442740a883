"""What a report stands on besides its scores: all answers, what confidence is worth, and doubted labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.training import answered, calibration, labels_scores, spans, suspects, thresholds
from services.training.answered import Answered, written
from services.training.examples import MultiLabelExample, TextExample, TokenExample
from services.training.report import Calibration, LearningCurve, SuspectCount
from services.training.study import Study
from services.training.suspects import KEPT, Suspect
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


def of_texts(
    rows: Mapping[str, Sequence[TextExample]],
    labels: Sequence[str],
    logits: Mapping[str, Logits],
    temperature: float,
    study: Study | None,
) -> Evidence:
    """The evidence of text classification; rows and logits (rows, labels) by split."""
    answers = [
        one
        for split, outputs in logits.items()
        for one in _texts(split, rows[split], labels, probabilities(outputs, temperature))
    ]
    plain = _texts("test", rows["test"], labels, probabilities(logits["test"]))
    return Evidence(
        answered=answers,
        calibration=_calibration(plain, answers, temperature),
        suspects=study.suspects if study else [],
        suspect_count=study.count if study else None,
        learning_curve=study.curve if study else None,
    )


def of_labelled(
    rows: Mapping[str, Sequence[MultiLabelExample]],
    labels: Sequence[str],
    probabilities: Mapping[str, Logits],
    chosen: NDArray[np.float32],
) -> Evidence:
    """The evidence of several labels; rows and probabilities (rows, labels) by split, thresholds (labels)."""
    return Evidence(
        answered=[
            one
            for split, outputs in probabilities.items()
            for one in _labelled(split, rows[split], labels, outputs, chosen)
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
    doubts, checked, doubted = _doubted_words(sentences, tags, words)
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
        )
        for row, said, own, yes in zip(
            rows, labels_scores.named(given, labels), probabilities, given, strict=True
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
    before = calibration.reliability(*answered.units(plain))
    after = calibration.reliability(*answered.units([one for one in answers if one.split == "test"]))
    return Calibration(
        temperature=temperature,
        error_before=calibration.expected_error(before),
        error=calibration.expected_error(after),
        before=before,
        after=after,
    )


def _doubted_words(
    sentences: Mapping[str, Sequence[TokenExample]],
    tags: Sequence[str],
    words: Mapping[str, Sequence[Logits]],
) -> tuple[list[Suspect], int, int]:
    """Words whose tag is probably wrong, the sentences looked at, and how many words there were."""
    place = {tag: number for number, tag in enumerate(tags)}
    where = [
        (split, sentence, word)
        for split in words
        for sentence in sentences[split]
        for word in range(len(sentence.tokens))
    ]
    outputs = np.concatenate([one for split in words for one in words[split]])
    numbers = np.array([place[sentence.tags[word]] for _, sentence, word in where])
    found = suspects.doubted(numbers, outputs)
    doubts = []
    for number in found[:KEPT]:
        split, sentence, word = where[number]
        best = int(outputs[number].argmax())
        doubts.append(
            Suspect(
                split=split,
                row=sentence.row,
                text=" ".join(sentence.tokens),
                tokens=list(sentence.tokens),
                word=word,
                label=sentence.tags[word],
                suggested=tags[best],
                own=float(outputs[number, numbers[number]]),
                other=float(outputs[number, best]),
            )
        )
    return doubts, sum(len(sentences[split]) for split in words), len(found)
