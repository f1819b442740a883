"""The networks: a pretrained encoder with a small head, and their losses."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    embedding,
    huber_loss,
    normalize,
)
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

from services.training.shapes import BUCKETS, NOTHING

# Targets that carry no loss: what is no word, and padding.
IGNORED = -100


class _TextNetwork(nn.Module):
    """Mean of the encoder's last layer, scaled to a fixed length, and one linear layer."""

    def __init__(self, encoder: PreTrainedModel, outputs: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.config.hidden_size, outputs)
        # What logits are divided by to become probabilities; 1 until it was fitted.
        self.temperature = 1.0

    def embed(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(rows, hidden) in float32, each row of length √hidden: a feature's variance is about one."""
        return mean_pooled(self.encoder, input_ids=input_ids, attention_mask=attention_mask)

    def logits(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(rows, outputs) in float32, as the head was fitted."""
        features = self.embed(input_ids, attention_mask)
        with torch.autocast(features.device.type, enabled=False):
            outputs: Tensor = self.head(features)
        return outputs


class WordTable(nn.Module):
    """What each sub-word of a text adds to each label by itself; most add nothing, and share the first row.

    Fitted beside a frozen base (services/training/words.py), and learns no more after that.
    """

    places: Tensor

    def __init__(self, vocabulary: int, labels: int) -> None:
        super().__init__()
        # The row of each sub-word; the first row is for all those that were in no training row.
        self.register_buffer("places", torch.zeros(vocabulary, dtype=torch.int32))
        self.weight = nn.Parameter(torch.zeros(1, labels), requires_grad=False)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(rows, labels): the sub-words' sum over the root of their number."""
        each = embedding(self.places[input_ids], self.weight)
        added: Tensor = (each * attention_mask.unsqueeze(-1)).sum(1)
        return added / attention_mask.sum(1, keepdim=True).float().sqrt()

    def forget(self) -> None:
        """Add nothing from now on."""
        self.places.zero_()
        self.weight = nn.Parameter(self.weight.new_zeros(1, self.weight.shape[1]), requires_grad=False)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        # As many rows as were fitted.
        if (weight := state_dict.get(f"{prefix}weight")) is not None:
            self.weight = nn.Parameter(self.weight.new_zeros(weight.shape), requires_grad=False)
        super()._load_from_state_dict(state_dict, prefix, *rest)


class TextClassifier(_TextNetwork):
    """A network over a text, with what single words add to it."""

    def __init__(self, encoder: PreTrainedModel, labels: int) -> None:
        super().__init__(encoder, labels)
        self.words = WordTable(encoder.config.vocab_size, labels)

    def logits(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(rows, labels) in float32."""
        added: Tensor = self.words(input_ids, attention_mask)
        return super().logits(input_ids, attention_mask) + added

    def probabilities(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(rows, labels), each row summing to one."""
        return (self.logits(input_ids, attention_mask) / self.temperature).softmax(-1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """The loss; labels: (rows)."""
        return {"loss": cross_entropy(self.logits(input_ids, attention_mask), labels)}


class MultiLabelClassifier(TextClassifier):
    """The same, where each label is answered for itself."""

    def probabilities(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(rows, labels), each between zero and one."""
        return (self.logits(input_ids, attention_mask) / self.temperature).sigmoid()

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """The loss; labels: (rows, labels), one where a label belongs to a row and zero elsewhere."""
        return {"loss": binary_cross_entropy_with_logits(self.logits(input_ids, attention_mask), labels)}


class TextScorer(_TextNetwork):
    """A network over a text with one output: a score less its mean, divided by its standard deviation."""

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """Huber's loss: quadratic up to one standard deviation, linear beyond; labels: (rows)."""
        return {"loss": huber_loss(self.logits(input_ids, attention_mask).squeeze(-1), labels)}


class PairClassifier(nn.Module):
    """Two texts, read apart or together; each way has its own linear layer.

    Apart, each text is embedded for itself and the head sees u, v, |u - v| and u · v (Conneau et al. 2017).
    Together, the encoder reads both at once, so that each word of one sees the words of the other.
    """

    reads_together: Tensor

    def __init__(self, encoder: PreTrainedModel, labels: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.temperature = 1.0
        self.apart = nn.Linear(4 * encoder.config.hidden_size, labels)
        self.together = nn.Linear(encoder.config.hidden_size, labels)
        # With a head of zeros the first steps move the head and not the encoder.
        nn.init.zeros_(self.together.weight)
        nn.init.zeros_(self.together.bias)
        # Saved with the weights, which are of use in one way alone.
        self.register_buffer("reads_together", torch.tensor(False))

    def read_together(self) -> None:
        """From now on read both texts at once; the head of texts read apart learns no more."""
        self.reads_together.fill_(True)
        self.apart.requires_grad_(False)

    def embed(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(rows, hidden) of texts, as of TextClassifier."""
        return mean_pooled(self.encoder, input_ids=input_ids, attention_mask=attention_mask)

    def logits(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """(rows, labels) in float32 of pairs that are read together."""
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        both = mean_pooled(self.encoder, input_ids=input_ids, attention_mask=attention_mask, **types)
        outputs: Tensor = self.together(both)
        return outputs.float()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        labels: Tensor,
        token_type_ids: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """The loss of pairs that are read together; labels: (rows)."""
        return {"loss": cross_entropy(self.logits(input_ids, attention_mask, token_type_ids), labels)}


class PairScorer(PairClassifier):
    """The same with one output: a score less its mean, divided by its standard deviation."""

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        labels: Tensor,
        token_type_ids: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Huber's loss, as of TextScorer; labels: (rows)."""
        scores = self.logits(input_ids, attention_mask, token_type_ids).squeeze(-1)
        return {"loss": huber_loss(scores, labels)}


class WordClassifier(nn.Module):
    """One linear layer over each sub-word, and what its word's shape adds; a word is their mean."""

    def __init__(self, encoder: PreTrainedModel, tags: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.config.hidden_size, tags)
        # Of zeros until it was fitted (services/training/shapes.py).
        self.shapes = nn.Embedding(BUCKETS + 1, tags, padding_idx=NOTHING)
        nn.init.zeros_(self.shapes.weight)
        # What logits are divided by to become probabilities; 1 until it was fitted.
        self.temperature = 1.0

    def embed(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(rows, tokens, hidden)."""
        hidden: Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return hidden

    def logits(self, input_ids: Tensor, attention_mask: Tensor, shapes: Tensor) -> Tensor:
        """(rows, tokens, tags) in float32; shapes: (rows, tokens, buckets of a word)."""
        read: Tensor = self.head(self.embed(input_ids, attention_mask))
        added: Tensor = self.shapes(shapes).sum(2)
        return read.float() + added

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, shapes: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        """The loss; labels: (rows, tokens), of each sub-word its word's tag, and IGNORED beside words."""
        logits = self.logits(input_ids, attention_mask, shapes)
        return {"loss": cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)}


class TokenClassifier(nn.Module):
    """One linear layer over each sub-word; a word is its first one.

    Versions that were trained before there was `WordClassifier` are of this kind, and no others.
    """

    def __init__(self, encoder: PreTrainedModel, tags: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.config.hidden_size, tags)
        self.temperature = 1.0

    def logits(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(rows, tokens, tags) in float32."""
        hidden: Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        outputs: Tensor = self.head(hidden)
        return outputs.float()


# Those that answer a text, or a pair of texts, as a whole.
TextNetwork = TextClassifier | TextScorer | PairClassifier
Network = TextNetwork | WordClassifier | TokenClassifier


def mean_pooled(encoder: PreTrainedModel, **inputs: Tensor) -> Tensor:
    """(rows, hidden) in float32: the mean of the last layer, of length √hidden, so of variance about one."""
    hidden: Tensor = encoder(**inputs).last_hidden_state
    mask = inputs["attention_mask"].unsqueeze(-1)
    mean = (hidden * mask).float().sum(1) / mask.sum(1)
    scale: float = hidden.shape[-1] ** 0.5
    return normalize(mean) * scale


def pair_features(first: Tensor, second: Tensor) -> Tensor:
    """(rows, 4 · hidden) of the embeddings of both texts of each pair."""
    return torch.cat([first, second, (first - second).abs(), first * second], dim=-1)


def pretrained(folder: Path, *, depth: float = 1.0) -> PreTrainedModel:
    """The encoder of a base model, in float32, without the pooler that only next-sentence prediction used.

    `depth` is the share of its layers, from the lowest on, that it has.
    """
    encoder = AutoModel.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
    )
    config, layers = encoder.config, encoder.config.num_hidden_layers
    config.num_hidden_layers = round(depth * layers)
    if hasattr(config, "layer_types"):
        config.layer_types = config.layer_types[: config.num_hidden_layers]
    for part in encoder.modules():
        if isinstance(part, nn.ModuleList) and len(part) == layers:
            del part[config.num_hidden_layers :]
    return _without_pooler(encoder)


def untrained(config: PreTrainedConfig) -> PreTrainedModel:
    """An encoder of a shape, its weights still to be loaded."""
    encoder: PreTrainedModel = AutoModel.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]
    return _without_pooler(encoder)


def read_config(folder: Path) -> PreTrainedConfig:
    """The shape of a base model or artefact."""
    config: PreTrainedConfig = AutoConfig.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )
    return config


def knows_types(encoder: PreTrainedModel) -> bool:
    """Whether the base model tells the texts of a pair apart by token types."""
    return getattr(encoder.config, "type_vocab_size", 0) > 1


def padding_id(encoder: PreTrainedModel) -> int:
    """The id that fills the shorter rows of a batch; the attention mask hides it."""
    return encoder.config.pad_token_id or 0


def checkpoint_gradients(network: nn.Module) -> None:
    """Keep the layers' inputs alone for the backward pass: a fourth slower, and far less memory."""
    base: Any = network.base if hasattr(network, "base") else network.encoder
    enable: Any = base.activation_checkpointing_enable
    enable({"use_reentrant": False})


def freeze_embedding_table(encoder: PreTrainedModel) -> None:
    """Keep the table of sub-word vectors as it is: half the weights of a small model, with little to gain."""
    encoder.get_input_embeddings().weight.requires_grad_(False)


def _without_pooler(encoder: PreTrainedModel) -> PreTrainedModel:
    if hasattr(encoder, "pooler"):
        encoder.register_module("pooler", None)
    return encoder
