"""What single words add to labels: fitted, alike in the network, and left out where nothing is gained."""

from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import cross_entropy

from services.training import artefact, batches, fitting, machine, networks, readings
from services.training.bases.catalogue import WEIGHTS
from services.training.examples import SPLITS
from services.training.networks import MultiLabelClassifier, Network, WordTable
from services.training.reporting import study
from services.training.tokenizing import load_tokenizer
from services.training.words import Bags, Beside, Words
from tests.services.training.test_offline import KINDS, create_model
from tests.services.training.tiny import LABELS, VOCABULARY, create_labelled, create_texts

KINDS_OF_WORDS = sorted(LABELS)


def create_network(base_model: Path) -> MultiLabelClassifier:
    torch.manual_seed(3)
    return MultiLabelClassifier(networks.pretrained(base_model), len(KINDS_OF_WORDS))


def answers(network: Network, ids: list[list[int]]) -> Tensor:
    return torch.stack(batches.compute(network.logits, ids, 0, machine.here()))


def create_rows(base_model: Path, count: int, seed: int) -> tuple[list[list[int]], Tensor]:
    """Sub-words, and (rows, labels)."""
    rows = create_labelled(count, seed=seed)
    ids = readings.texts(load_tokenizer(base_model), [row.text for row in rows]).ids
    return ids, torch.tensor([[float(kind in row.labels) for kind in KINDS_OF_WORDS] for row in rows])


def create_splits(base_model: Path) -> tuple[dict[str, list[list[int]]], dict[str, Tensor]]:
    made = {split: create_rows(base_model, 400, seed) for seed, split in enumerate(SPLITS)}
    ids = {split: rows for split, (rows, _) in made.items()}
    return ids, {split: targets for split, (_, targets) in made.items()}


def create_words(ids: dict[str, list[list[int]]], truth: dict[str, Tensor]) -> Words:
    table = WordTable(len(VOCABULARY), len(KINDS_OF_WORDS))
    return Words(ids, truth, table, loss_of=fitting.one_vs_rest)


def learn(base_model: Path, *, loudness: float) -> tuple[Beside, dict[str, Tensor]]:
    """What words add where a head says the truth so loudly, and the truth."""
    ids, truth = create_splits(base_model)
    said = {split: loudness * (targets - 0.5) for split, targets in truth.items()}
    return create_words(ids, truth).fit(said, ["train"]), truth


def test_words_tell_labels_of_which_the_head_knows_nothing(base_model: Path) -> None:
    beside, truth = learn(base_model, loudness=0.0)

    right = (beside.outputs["test"] > 0) == (truth["test"] > 0)
    assert float(right.float().mean()) > 0.95
    assert beside.outputs.keys() == {"validation", "test"}


def test_rows_that_are_looked_at_alone_teach_nothing_of_others(base_model: Path) -> None:
    ids, truth = create_splits(base_model)
    said = {split: torch.zeros_like(targets) for split, targets in truth.items()}
    some = torch.arange(100, 400)
    turned = truth | {"train": torch.cat([1 - truth["train"][:100], truth["train"][100:]])}

    alone = create_words(ids, truth).together(some, said)
    beside_wrong_ones = create_words(ids, turned).together(some, said)

    assert all(torch.equal(alone[split], beside_wrong_ones[split]) for split in SPLITS)
    assert float(((alone["test"] > 0) == (truth["test"] > 0)).float().mean()) > 0.9


def test_what_is_studied_counts_words_where_the_model_does(base_model: Path) -> None:
    """Features tell nothing here, so that all the curve and the doubts know they have from words."""
    rows = {split: create_labelled(400, seed=seed) for seed, split in enumerate(SPLITS)}
    ids, truth = create_splits(base_model)
    features = {split: torch.randn(400, 4, generator=torch.Generator().manual_seed(7)) for split in SPLITS}
    planted = range(0, 400, 40)
    for place in planted:
        truth["train"][place] = 1 - truth["train"][place]
        told = [kind for kind, on in zip(KINDS_OF_WORDS, truth["train"][place], strict=True) if on]
        rows["train"][place] = replace(rows["train"][place], labels=told)
    head = fitting.blank(torch.nn.Linear(4, len(KINDS_OF_WORDS)))._replace(strength=0.01)
    words = create_words(ids, truth)

    looked = study.labelled(rows, KINDS_OF_WORDS, features, truth, head, words.together)

    assert looked.curve is not None
    assert looked.curve.points[-1].value > 0.9
    first = {one.row for one in looked.suspects[: len(planted)] if one.split == "train"}
    assert len(first & {rows["train"][place].row for place in planted}) >= 8


def test_the_curve_of_one_label_leads_to_what_words_tell(base_model: Path) -> None:
    """Features tell nothing here, so that all the curve knows it has from words."""
    rows = {split: create_texts(400, seed=seed) for seed, split in enumerate(SPLITS)}
    tokenizer = load_tokenizer(base_model)
    ids = {split: readings.texts(tokenizer, [row.text for row in some]).ids for split, some in rows.items()}
    labels = sorted({row.label for row in rows["train"]})
    truth = {split: torch.tensor([labels.index(row.label) for row in some]) for split, some in rows.items()}
    features = {split: torch.randn(400, 4, generator=torch.Generator().manual_seed(7)) for split in SPLITS}
    head = study.logistic(features["train"], truth["train"], len(labels))
    words = Words(ids, truth, WordTable(len(VOCABULARY), len(labels)), loss_of=cross_entropy)

    alone, counted = (
        study.texts(rows, labels, features, truth, head, beside).curve for beside in (None, words.together)
    )

    assert alone is not None
    assert counted is not None
    assert alone.points[-1].value < 0.6 < 0.95 < counted.points[-1].value


def test_a_word_of_no_training_row_adds_nothing(base_model: Path) -> None:
    beside, _ = learn(base_model, loudness=0.0)
    weight, places = beside.weights["words.weight"], beside.weights["words.places"]

    assert not weight[0].any()
    assert weight[1:].any(1).all()
    assert places.shape == (len(VOCABULARY),)
    assert sorted(places[places > 0].tolist()) == list(range(1, len(weight)))


def test_the_network_adds_to_padded_rows_what_was_fitted_on_bare_ones(base_model: Path) -> None:
    network, (ids, _) = create_network(base_model).eval(), create_rows(base_model, 30, 1)
    silent = answers(network, ids)
    weight, places = torch.randn(5, len(KINDS_OF_WORDS)), torch.randint(5, (len(VOCABULARY),)).int()
    network.words.load_state_dict({"weight": weight, "places": places})

    loud = answers(network, ids)

    assert len({len(row) for row in ids}) > 1
    bags = Bags.of(ids).of_places(places)
    torch.testing.assert_close(loud - silent, bags.add(weight), atol=0.02, rtol=0)


def test_a_model_from_before_words_were_counted_still_answers(tmp_path: Path, base_model: Path) -> None:
    model, _ = create_model(tmp_path / "model", base_model, "several labels")
    weights = load_file(model / WEIGHTS)
    del weights["words.weight"], weights["words.places"]
    save_file(weights, model / WEIGHTS)

    network, card = artefact.load(model, torch.device("cpu"))

    assert card == KINDS["several labels"][1]
    assert isinstance(network, MultiLabelClassifier)
    assert not network.words.weight.any()


def test_a_model_in_which_each_word_had_a_row_answers_as_it_did(tmp_path: Path, base_model: Path) -> None:
    model, _ = create_model(tmp_path / "model", base_model, "several labels")
    ids, _ = create_rows(base_model, 10, 1)
    before = answers(artefact.load(model, torch.device("cpu"))[0], ids)
    weights = load_file(model / WEIGHTS)
    each = weights["words.weight"][weights.pop("words.places").long()]
    save_file({**weights, "words.weight": each}, model / WEIGHTS)

    network, _ = artefact.load(model, torch.device("cpu"))

    assert len(each) == len(VOCABULARY)
    torch.testing.assert_close(answers(network, ids), before)
