from pathlib import Path

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn.functional import linear

from services.training.events import EventKind, Phase
from services.training.fitting import certainty, fit, fit_head
from services.training.journal import Journal, read


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

    def score(weight: Tensor, bias: Tensor) -> dict[str, float]:
        right = (linear(validation[0], weight, bias).argmax(1) == validation[1]).float().mean()
        tried.append((float(right), weight.clone()))
        return {"accuracy": float(right)}

    head = nn.Linear(10, 4)
    with journal.phase(Phase.fitting):
        reached = fit_head(head, train[0], train[1], score, "accuracy", journal)

    best, weight = max(tried, key=lambda one: one[0])
    assert reached.score == best
    assert torch.equal(head.weight, weight)
    metrics = [event for event in read(tmp_path / "events.jsonl") if event.kind is EventKind.metric]
    assert [event.values["accuracy"] for event in metrics] == [one for one, _ in tried]


def test_the_search_ends_when_two_fits_bring_nothing(tmp_path: Path) -> None:
    scores = iter([0.5, 0.4, 0.5, 0.9, 0.9])
    features, targets = create_features()

    reached = fit_head(
        nn.Linear(10, 4),
        features,
        targets,
        lambda weight, bias: {"accuracy": next(scores)},
        "accuracy",
        Journal(tmp_path / "events.jsonl"),
    )

    assert reached.score == 0.5
    assert next(scores) == 0.9


def test_certainty_heeds_how_sure_the_right_answers_are_and_not_how_large_the_logits() -> None:
    targets = torch.tensor([0, 1, 0, 1])
    clear = torch.tensor([[2.0, 0.0], [0.0, 2.0], [2.0, 0.0], [1.0, 0.0]])
    close = torch.tensor([[0.1, 0.0], [0.0, 2.0], [2.0, 0.0], [1.0, 0.0]])

    assert certainty(clear, targets) > certainty(close, targets)
    assert certainty(clear * 2, targets) == pytest.approx(certainty(clear, targets), abs=0.01)
