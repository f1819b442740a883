from pathlib import Path

import numpy as np
import pytest
import torch

from services.training import machine, networks
from services.training.context import Run
from services.training.examples import SPLITS, read_sentences
from services.training.process.journal import Journal
from services.training.recipe import Task
from services.training.reporting import token_study
from services.training.reporting.study import Study
from services.training.tagging import tag_names
from services.training.tokenizing import Piece, encode_words, load_tokenizer
from tests.services.training.tiny import create_run, create_sentences

TAGS = tag_names(["city", "person"])


@pytest.fixture
def run(tmp_path: Path, base_model: Path) -> Run:
    folder = create_run(tmp_path / "run", base_model, task=Task.token_classification)
    return Run(folder, folder.read_spec(), machine.here(), Journal(folder.events))


def look(run: Run, base_model: Path) -> Study:
    rows = {split: read_sentences(run.folder.split(split)) for split in SPLITS}
    tokenizer = load_tokenizer(base_model)
    pieces = {
        split: encode_words(tokenizer, [one.tokens for one in some], 32) for split, some in rows.items()
    }
    targets = {
        split: [
            [TAGS.index(rows[split][piece.sentence].tags[word]) for word in piece.words] for piece in some
        ]
        for split, some in pieces.items()
    }
    return token_study.look(run, networks.pretrained(base_model), rows, pieces, targets, TAGS)


def test_a_run_that_is_resumed_takes_what_was_found_before(run: Run, base_model: Path) -> None:
    first = look(run, base_model)
    told = run.folder.events.read_bytes()

    again = look(run, base_model)

    assert again == first
    assert run.folder.events.read_bytes() == told


def test_of_very_many_words_a_part_is_looked_at(
    run: Run, base_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_study, "_MOST_WORDS", 300)

    found = look(run, base_model)

    words = np.mean([len(one.tokens) for one in create_sentences(120, seed=1)])
    assert 0 < found.count.checked <= 300 / words * 1.3
    assert found.curve is None


def test_a_word_that_no_piece_has_is_outside_for_sure() -> None:
    logits = torch.tensor([[0.0, 9.0, 0.0, 0.0, 0.0]])

    (sentence,) = token_study.by_word(TAGS, [2], [Piece(0, [7], [0], [1])], logits)

    assert sentence[0].tolist() == [1, 0, 0, 0, 0]
    assert sentence[1].argmax() == TAGS.index("B-city")
