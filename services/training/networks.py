"""The networks: a pretrained encoder with a small head, and their losses."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

# Targets that carry no loss: sub-words that do not begin a word, and padding.
IGNORED = -100


class TextClassifier(nn.Module):
    """Mean of the encoder's last layer, scaled to a fixed length, and one linear layer."""

    def __init__(self, encoder: PreTrainedModel, labels: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.config.hidden_size, labels)
        # What logits are divided by to become probabilities; 1 until it was fitted.
        self.temperature = 1.0

    def embed(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(rows, hidden) in float32, each row of length √hidden: a feature's variance is about one."""
        hidden: Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        mask = attention_mask.unsqueeze(-1)
        mean = (hidden * mask).float().sum(1) / mask.sum(1)
        scale: float = self.head.in_features**0.5
        return normalize(mean) * scale

    def logits(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(rows, labels) in float32."""
        outputs: Tensor = self.head(self.embed(input_ids, attention_mask))
        return outputs.float()

    def probabilities(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(rows, labels), each row summing to one."""
        return (self.logits(input_ids, attention_mask) / self.temperature).softmax(-1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """The loss; labels: (rows)."""
        return {"loss": cross_entropy(self.logits(input_ids, attention_mask), labels)}


class TokenClassifier(nn.Module):
    """One linear layer over each position of the encoder's last layer."""

    def __init__(self, encoder: PreTrainedModel, tags: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(encoder.config.hidden_size, tags)
        # What logits are divided by to become probabilities; 1 until it was fitted.
        self.temperature = 1.0

    def embed(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(rows, tokens, hidden)."""
        hidden: Tensor = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return hidden

    def logits(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(rows, tokens, tags) in float32."""
        outputs: Tensor = self.head(self.embed(input_ids, attention_mask))
        return outputs.float()

    def probabilities(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """(rows, tokens, tags), the tags of each token summing to one."""
        return (self.logits(input_ids, attention_mask) / self.temperature).softmax(-1)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, labels: Tensor) -> dict[str, Tensor]:
        """The loss; labels: (rows, tokens), IGNORED where a token does not begin a word."""
        logits = self.logits(input_ids, attention_mask)
        return {"loss": cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=IGNORED)}


Network = TextClassifier | TokenClassifier


def pretrained(folder: Path) -> PreTrainedModel:
    """The encoder of a base model, in float32, without the pooler that only next-sentence prediction used."""
    encoder = AutoModel.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
    )
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


def padding_id(encoder: PreTrainedModel) -> int:
    """The id that fills the shorter rows of a batch; the attention mask hides it."""
    return encoder.config.pad_token_id or 0


def freeze_embedding_table(encoder: PreTrainedModel) -> None:
    """Keep the table of sub-word vectors as it is: half the weights of a small model, with little to gain."""
    encoder.get_input_embeddings().weight.requires_grad_(False)


def _without_pooler(encoder: PreTrainedModel) -> PreTrainedModel:
    if hasattr(encoder, "pooler"):
        encoder.register_module("pooler", None)
    return encoder
