"""A base model of a few kilobytes, and data that it can learn in a moment."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel

from services.training.examples import (
    Example,
    MultiLabelExample,
    PairExample,
    ScoreExample,
    TextExample,
    TokenExample,
    write,
)
from services.training.process.folder import RunFolder
from services.training.recipe import Hyperparameters, Preset, Recipe, RunSpec, Task, defaults
from tests.services.training.tiny_chat import create_conversations

COLOURS = ("red", "blue", "green", "white", "black")
ANIMALS = ("cat", "dog", "horse", "bird", "fish")
TOOLS = ("hammer", "saw", "drill", "nail", "screw")
FILLERS = ("the", "a", "one", "my", "old", "new", "in", "at", "here", "there")
CITIES = ("berlin", "paris", "rome", "oslo", "london")
PEOPLE = ("ada", "grace", "alan", "kurt", "emmy")
SURNAMES = ("hopper", "turing", "noether", "gauss", "euler")
LABELS = {"colour": COLOURS, "animal": ANIMALS, "tool": TOOLS}
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_LETTERS = [f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"] + list("abcdefghijklmnopqrstuvwxyz.,'")
VOCABULARY = [*_SPECIAL, *_LETTERS, *COLOURS, *ANIMALS, *TOOLS, *FILLERS, *CITIES, *PEOPLE, *SURNAMES]


def create_base_model(folder: Path, *, hidden: int = 32, layers: int = 2, positions: int = 64) -> Path:
    """A BERT of random weights with its tokenizer, as a base model's folder holds them."""
    torch.manual_seed(5)
    config = BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=2 * hidden,
        max_position_embeddings=positions,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model = BertModel(config)
    # Words far apart, layers that hardly mix them: what there is to learn is easy.
    torch.nn.init.normal_(model.embeddings.word_embeddings.weight)
    model.save_pretrained(folder)
    tokenizer = Tokenizer(
        WordPiece({word: number for number, word in enumerate(VOCABULARY)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = BertNormalizer()
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    # As the tokenizers of real models come: with padding and cutting already set.
    tokenizer.enable_padding(length=16)
    tokenizer.enable_truncation(16)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def create_texts(count: int, *, seed: int = 0) -> list[TextExample]:
    """Texts of three to eight words, one of which decides the label."""
    chance = Random(seed)
    texts = []
    for row in range(1, count + 1):
        label = chance.choice(sorted(LABELS))
        words = [chance.choice(FILLERS) for _ in range(chance.randint(2, 7))]
        words.insert(chance.randrange(len(words)), chance.choice(LABELS[label]))
        texts.append(TextExample(row, " ".join(words), label))
    return texts


def create_sentences(count: int, *, seed: int = 0) -> list[TokenExample]:
    """Sentences with a person of one or two words, and sometimes a city."""
    chance = Random(seed)
    sentences = []
    for row in range(1, count + 1):
        tokens = [chance.choice(FILLERS) for _ in range(chance.randint(1, 6))]
        tags = ["O"] * len(tokens)
        name = [chance.choice(PEOPLE), chance.choice(SURNAMES)][: chance.randint(1, 2)]
        tokens += name
        tags += ["B-person", "I-person"][: len(name)]
        if chance.random() < 0.5:
            tokens += ["in", chance.choice(CITIES)]
            tags += ["O", "B-city"]
        sentences.append(TokenExample(row, tokens, tags))
    return sentences


def create_labelled(count: int, *, seed: int = 0) -> list[MultiLabelExample]:
    """Texts that name something of none, one or two kinds."""
    chance = Random(seed)
    texts = []
    for row in range(1, count + 1):
        labels = sorted(chance.sample(sorted(LABELS), chance.choice((0, 1, 1, 2))))
        words = [chance.choice(FILLERS) for _ in range(chance.randint(2, 7))]
        for label in labels:
            words.insert(chance.randrange(len(words)), chance.choice(LABELS[label]))
        texts.append(MultiLabelExample(row, " ".join(words), labels))
    return texts


def create_pairs(count: int, *, seed: int = 0) -> list[PairExample]:
    """First texts that come with four second ones each, of which those that name an animal are relevant."""
    chance = Random(seed)
    pairs: list[PairExample] = []
    while len(pairs) < count:
        wanted = chance.choice(sorted(LABELS))
        first = " ".join(chance.sample(LABELS[wanted], 2) + chance.sample(FILLERS, 2))
        for kind in chance.sample([*LABELS, "animal"], 4):
            second = f"{chance.choice(FILLERS)} {chance.choice(LABELS[kind])}"
            label = "relevant" if kind == "animal" else "other"
            pairs.append(PairExample(len(pairs) + 1, first, second, label))
    return pairs


def create_scored(count: int, *, seed: int = 0, pairs: bool = False) -> list[ScoreExample]:
    """Texts whose words are worth something, around a hundred; the second text of a pair counts double."""
    worth = {"colour": 10.0, "animal": 20.0, "tool": -10.0}
    chance = Random(seed)
    rows = []
    for row in range(1, count + 1):
        kinds = [chance.choice(sorted(LABELS)) for _ in range(2)]
        first, second = (
            f"{chance.choice(FILLERS)} {chance.choice(LABELS[kind])} {chance.choice(FILLERS)}"
            for kind in kinds
        )
        score = 100 + worth[kinds[0]] + (2 * worth[kinds[1]] if pairs else 0.0) + chance.uniform(-1, 1)
        rows.append(ScoreExample(row, first, second if pairs else "", score))
    return rows


_KINDS = {
    Task.text_classification: (create_texts, ("animal", "colour", "tool")),
    Task.multi_label: (create_labelled, ("animal", "colour", "tool")),
    Task.token_classification: (create_sentences, ("city", "person")),
    Task.pair_classification: (create_pairs, ("other", "relevant")),
    Task.regression: (create_scored, ()),
    Task.chat: (create_conversations, ()),
}


def create_run(
    folder: Path,
    base_model: Path,
    *,
    task: Task = Task.text_classification,
    preset: Preset = Preset.quick,
    train: Sequence[Example] | None = None,
    validation: Sequence[Example] | None = None,
    test: Sequence[Example] | None = None,
    labels: Sequence[str] | None = None,
    **changes: float,
) -> RunFolder:
    """A run's folder, as the worker prepares it; `changes` are hyperparameters."""
    create, usual = _KINDS[task]
    settings = {**defaults(preset, task).model_dump(), "max_length": 32, **changes}
    spec = RunSpec(
        recipe=Recipe(task=task, preset=preset, hyperparameters=Hyperparameters(**settings)),
        base_model_path=base_model,
        labels=list(labels if labels is not None else usual),
        data_hash="0" * 64,
    )
    run = RunFolder(folder)
    run.data.mkdir(parents=True)
    write(run.split("train"), create(120, seed=1) if train is None else train)
    write(run.split("validation"), create(30, seed=2) if validation is None else validation)
    write(run.split("test"), create(40, seed=3) if test is None else test)
    run.spec.write_text(spec.model_dump_json(), "utf-8")
    return run
