from pathlib import Path

import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from torch import Tensor, nn
from torch.nn.functional import linear

from services.training.fitting import LOGISTIC, Head, blank, certainty, choose, fit, ridge
from services.training.process.events import EventKind, Phase
from services.training.process.journal import Journal, read


def create_features(rows: int = 400, *, noise: float = 1.0, seed: int = 0) -> tuple[Tensor, Tensor]:
    chance = torch.Generator().manual_seed(seed)
    centres = torch.randn(4, 10, generator=torch.Generator().manual_seed(9))
    targets = torch.randint(0, 4, (rows,), generator=chance)
    return centres[targets] + noise * torch.randn(rows, 10, generator=chance), targets


@pytest.mark.parametrize("strength", [0.01, 0.3])
def test_the_head_is_that_of_scikit_learn(strength: float) -> None:
    features, targets = create_features()
    weight, bias = torch.zeros(4, 10), torch.zeros(4)

    fit(features, targets, weight, bias, strength)

    theirs = LogisticRegression(C=strength, tol=1e-6, max_iter=1000).fit(features.numpy(), targets.numpy())
    ours = linear(features, weight, bias).softmax(-1)
    assert torch.allclose(ours, torch.tensor(theirs.predict_proba(features.numpy())).float(), atol=5e-3)


def test_the_regularisation_that_validates_best_is_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl")
    train, validation = create_features(noise=2.0), create_features(noise=2.0, seed=1)
    tried: list[tuple[float, Tensor]] = []

    def score(head: Head) -> tuple[float, dict[str, float]]:
        answers = linear(validation[0], head.weight, head.bias).argmax(1)
        right = float((answers == validation[1]).float().mean())
        tried.append((right, head.weight))
        return right, {"accuracy": right}

    with journal.phase(Phase.fitting):
        chosen, metrics = choose(LOGISTIC, *train, blank(nn.Linear(10, 4)), score, journal)

    best, weight = max(tried, key=lambda one: one[0])
    assert metrics == {"accuracy": best}
    assert torch.equal(chosen.weight, weight)
    told = [event for event in read(tmp_path / "events.jsonl") if event.kind is EventKind.metric]
    assert [event.values["accuracy"] for event in told] == [one for one, _ in tried]


def test_the_search_ends_when_two_fits_bring_nothing(tmp_path: Path) -> None:
    scores = iter([0.5, 0.4, 0.5, 0.9, 0.9])

    def score(_: Head) -> tuple[float, dict[str, float]]:
        value = next(scores)
        return value, {"accuracy": value}

    journal = Journal(tmp_path / "events.jsonl")
    _, metrics = choose(LOGISTIC, *create_features(), blank(nn.Linear(10, 4)), score, journal)

    assert metrics == {"accuracy": 0.5}
    assert next(scores) == 0.9


def test_ridge_is_that_of_scikit_learn() -> None:
    features, _ = create_features()
    targets = features @ torch.linspace(-1, 1, 10) + 3

    heads = list(ridge(features, targets, (0.01, 1.0), blank(nn.Linear(10, 1))))

    for head in heads:
        theirs = Ridge(alpha=1 / head.strength).fit(features.numpy(), targets.numpy())
        ours = linear(features, head.weight, head.bias).squeeze(1)
        assert torch.allclose(ours, torch.tensor(theirs.predict(features.numpy())).float(), atol=1e-4)


def test_certainty_heeds_how_sure_the_right_answers_are_and_not_how_large_the_logits() -> None:
    targets = torch.tensor([0, 1, 0, 1])
    clear = torch.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [1.0, 0.0]])
    close = torch.tensor([[0.1, 0.0], [0.0, 2.0], [2.0, 0.0], [1.0, 0.0]])

    assert certainty(clear, targets) > certainty(close, targets)
    assert certainty(clear * 2, targets) == pytest.approx(certainty(clear, targets), abs=0.01)
