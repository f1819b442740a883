import torch

from services.training import tagging
from services.training.reporting import token_study
from services.training.reporting.study import Study
from services.training.tagging import tag_names
from services.training.tokenizing import Piece
from tests.services.training.tiny import create_sentences

TAGS = tag_names(["city", "person"])


def look(count: int, *, used: int | None = None) -> tuple[Study, list[int]]:
    """Features that tell each word's tag, but for one sentence in twenty, whose tags are wrong."""
    sentences = {"train": create_sentences(count, seed=1), "test": create_sentences(40, seed=2)}
    kept = {number: number for number in range(count if used is None else used)}
    torch.manual_seed(1)
    features, pieces = {}, {}
    for split, rows in sentences.items():
        some = [row for number, row in enumerate(rows) if split == "test" or number in kept]
        pieces[split] = [
            Piece(number, [], [], [], list(range(len(row.tokens))), []) for number, row in enumerate(some)
        ]
        own = torch.tensor([TAGS.index(tag) for row in some for tag in row.tags])
        features[split] = torch.eye(len(TAGS))[own] * 9 + torch.randn(len(own), len(TAGS)) / 3
    wrong = range(0, len(kept), 20)
    for number in wrong:
        row = sentences["train"][number]
        row.tags[:] = ["O" if "person" in tag else tag for tag in row.tags]
    targets = torch.tensor([TAGS.index(tag) for number in kept for tag in sentences["train"][number].tags])
    following = tagging.following(TAGS, [row.tags for row in sentences["train"]])
    found = token_study.look(sentences, TAGS, following, kept, pieces, features, targets)
    return found, [sentences["train"][number].row for number in wrong]


def test_words_are_doubted_by_heads_that_have_not_learned_them() -> None:
    found, wrong = look(200)

    assert found.count.checked == 200
    doubted = {one.row for one in found.suspects}
    assert doubted <= set(wrong)
    assert len(doubted) >= len(wrong) / 2
    assert found.curve is not None
    assert [point.rows for point in found.curve.points] == [12, 25, 50, 100, 200]


def test_sentences_that_were_not_read_are_not_looked_at() -> None:
    found, wrong = look(200, used=60)

    assert (found.count.checked, found.curve) == (60, None)
    doubted = {one.row for one in found.suspects}
    assert doubted <= set(wrong)
    assert len(doubted) >= len(wrong) / 2
