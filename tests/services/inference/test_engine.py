"""The engine on models of chance; what trained ones answer is tested beside the training runs."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.inference import engine
from services.inference.engine import Loaded
from services.inference.errors import TextExpected
from services.inference.predictions import EntityPrediction, LabelPrediction, LabelsPrediction, Pair
from services.training import artefact, networks, tagging
from services.training.artefact import Card
from services.training.networks import (
    MultiLabelClassifier,
    TextClassifier,
    TokenClassifier,
    WordClassifier,
)
from services.training.recipe import Task
from services.training.reporting.spans import spans
from services.training.tokenizing import load_tokenizer
from tests.services.training.tiny import create_base_model

LABELS = ["a", "b", "c"]
TAGS = ["O", "B-city", "I-city", "B-person", "I-person"]
TAGGED = Card(
    task=Task.token_classification,
    outputs=TAGS,
    labels=["city", "person"],
    max_length=16,
    architecture="token-linear",
    base_model="tiny",
)


@pytest.fixture(scope="module")
def base_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return create_base_model(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def texts_model(base_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    torch.manual_seed(3)
    card = Card(
        task=Task.text_classification,
        outputs=LABELS,
        labels=LABELS,
        max_length=32,
        architecture="mean-pooled-linear",
        base_model="tiny",
    )
    folder = tmp_path_factory.mktemp("texts")
    artefact.save(TextClassifier(networks.pretrained(base_model), 3), card, base_model, folder)
    return engine.load(folder)


@pytest.fixture(scope="module")
def tokens_model(base_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    torch.manual_seed(3)
    network = WordClassifier(networks.pretrained(base_model), 5)
    # Spread the answers over all tags.
    torch.nn.init.normal_(network.head.weight)
    torch.nn.init.normal_(network.shapes.weight)
    folder = tmp_path_factory.mktemp("tokens")
    following = tagging.following(TAGS, [["O", *TAGS[1:]]])
    told = TAGGED.model_copy(update={"architecture": "word-linear", "following": following})
    artefact.save(network, told, base_model, folder)
    return engine.load(folder)


def test_a_loaded_version_knows_itself(texts_model: Loaded, tokens_model: Loaded) -> None:
    assert (texts_model.task, texts_model.labels) == (Task.text_classification, LABELS)
    assert (tokens_model.task, tokens_model.labels) == (Task.token_classification, ["city", "person"])
    assert 10_000 < texts_model.bytes < 1_000_000


def test_a_text_gets_the_likeliest_label_and_all_scores(texts_model: Loaded) -> None:
    [prediction] = texts_model.predict(["the red cat"])

    assert isinstance(prediction, LabelPrediction)
    assert list(prediction.scores) == LABELS
    assert sum(prediction.scores.values()) == pytest.approx(1)
    assert prediction.score == max(prediction.scores.values()) == prediction.scores[prediction.label]


def test_answers_keep_the_order_of_the_texts(texts_model: Loaded) -> None:
    texts = ["red " * (1 + number * 7 % 25) + ["cat", "dog", "saw"][number % 3] for number in range(50)]

    together = texts_model.predict(texts)

    for text, prediction in zip(texts, together, strict=True):
        [alone] = texts_model.predict([text])
        assert isinstance(prediction, LabelPrediction)
        assert isinstance(alone, LabelPrediction)
        assert prediction.scores == pytest.approx(alone.scores, abs=1e-5)


def test_an_empty_text_and_no_text_are_answered(texts_model: Loaded, tokens_model: Loaded) -> None:
    assert len(texts_model.predict([""])) == 1
    assert texts_model.predict([]) == []
    assert tokens_model.predict(["", " \n"]) == [EntityPrediction(entities=[]), EntityPrediction(entities=[])]


def test_a_text_longer_than_the_model_reads_is_cut(texts_model: Loaded) -> None:
    [long, cut] = texts_model.predict(["red " * 500, "red " * 30])

    assert isinstance(long, LabelPrediction)
    assert isinstance(cut, LabelPrediction)
    assert long.scores == pytest.approx(cut.scores, abs=1e-5)


def test_a_version_of_before_words_had_shapes_is_read_by_first_subwords(
    base_model: Path, tmp_path: Path
) -> None:
    torch.manual_seed(3)
    network = TokenClassifier(networks.pretrained(base_model), 5).eval()
    torch.nn.init.normal_(network.head.weight)
    artefact.save(network, TAGGED, base_model, tmp_path)
    words = ["red", "abc", "cat", "zz"]

    (answer,) = engine.load(tmp_path).predict([" ".join(words)])

    read = load_tokenizer(base_model).encode(words, is_pretokenized=True)
    with torch.inference_mode():
        best = network.logits(torch.tensor([read.ids]), torch.ones(1, len(read.ids)).long())[0].argmax(-1)
    tags = [TAGS[best[read.word_ids.index(word)]] for word in range(len(words))]
    assert isinstance(answer, EntityPrediction)
    assert [(one.type, one.text) for one in answer.entities] == [
        (span.type, " ".join(words[span.start : span.end])) for span in spans(tags)
    ]
    assert answer.entities


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(
    st.lists(st.one_of(st.text(max_size=30), st.text("abc red ada. 's我\u200b😀", max_size=80)), max_size=4)
)
def test_entities_name_their_own_stretch_of_the_text(tokens_model: Loaded, texts: list[str]) -> None:
    answers = tokens_model.predict(texts)

    assert len(answers) == len(texts)
    for text, answer in zip(texts, answers, strict=True):
        assert isinstance(answer, EntityPrediction)
        end = 0
        for entity in answer.entities:
            assert entity.text == text[entity.start : entity.end]
            assert entity.text == entity.text.strip() != ""
            assert entity.start >= end
            assert entity.type in tokens_model.labels
            assert 0 < entity.score <= 1
            end = entity.end


def test_entities_are_found_to_the_end_of_a_long_text(tokens_model: Loaded) -> None:
    text = "red " * 200

    [answer] = tokens_model.predict([text])

    assert isinstance(answer, EntityPrediction)
    assert answer.entities[-1].end > 700


def test_threads_share_a_version(texts_model: Loaded) -> None:
    texts = [["red cat"], ["saw", "the old dog in one"], ["bird " * 20] * 70]
    alone = [texts_model.predict(request) for request in texts]

    with ThreadPoolExecutor(9) as callers:
        together = list(callers.map(texts_model.predict, texts * 3))

    for answer, expected in zip(together, alone * 3, strict=True):
        for ours, theirs in zip(answer, expected, strict=True):
            assert isinstance(ours, LabelPrediction)
            assert isinstance(theirs, LabelPrediction)
            assert ours.scores == pytest.approx(theirs.scores, abs=1e-5)


def test_a_pair_for_a_model_of_texts_is_refused_by_its_place(texts_model: Loaded) -> None:
    with pytest.raises(TextExpected, match="Input 1") as refused:
        texts_model.predict(["where is my card?", Pair(first="a", second="b")])

    assert refused.value.index == 1


def test_several_labels_are_as_sure_as_every_yes_and_no_together(base_model: Path, tmp_path: Path) -> None:
    card = Card(
        task=Task.multi_label,
        outputs=LABELS,
        labels=LABELS,
        max_length=32,
        architecture="mean-pooled-sigmoid",
        base_model="tiny",
        thresholds=[0.0, 1.0, 1.0],
    )
    artefact.save(MultiLabelClassifier(networks.pretrained(base_model), 3), card, base_model, tmp_path)

    (answer,) = engine.load(tmp_path).predict(["the red cat"])

    assert isinstance(answer, LabelsPrediction)
    assert answer.labels == ["a"]
    given, *withheld = answer.scores.values()
    assert answer.confidence == pytest.approx(given * (1 - withheld[0]) * (1 - withheld[1]))
