"""Answers of a causal language model, several at a time: each joins and leaves the batch when it likes."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from services.training import batches
from services.training.machine import Machine


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen: the likeliest at temperature 0, else by chance that follows the seed.

    Of the likeliest tokens those count that together have a probability of `top_p`.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0


@dataclass(eq=False, slots=True)
class Answer:
    """One answer in the making; `ids` grows, and `finish` says why it is over."""

    prompt: list[int]
    most: int
    sampling: Sampling = Sampling()
    # Whose adapters compute it; None is the base alone.
    adapter: Any = None
    ids: list[int] = field(default_factory=list)
    # The end of the turn was reached, or the most tokens.
    finish: Literal["stop", "length"] | None = None
    _chance: torch.Generator | None = None

    def take(self, logits: Tensor, end: int) -> None:
        """Choose the next token by the logits of the vocabulary, and see whether it is the last."""
        if self.finish is not None:  # by somebody who no longer reads
            return
        token = self._chosen(logits)
        if token == end:
            self.finish = "stop"
            return
        self.ids.append(token)
        if len(self.ids) == self.most:
            self.finish = "length"

    def _chosen(self, logits: Tensor) -> int:
        if self.sampling.temperature == 0:
            return int(logits.argmax())
        if self._chance is None:
            self._chance = torch.Generator().manual_seed(self.sampling.seed)
        scores, tokens = (logits.float() / self.sampling.temperature).softmax(-1).sort(descending=True)
        # The token that reaches top_p counts still, so that there is always one.
        scores = scores.where(scores.cumsum(0) - scores < self.sampling.top_p, 0.0)
        return int(tokens[torch.multinomial(scores.cpu(), 1, generator=self._chance)])


class Decoder:
    """The answers under way of one model, with the keys and values that they have computed so far.

    `adapting` is entered around each pass, with the adapter of each row.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        machine: Machine,
        *,
        end: int,
        adapting: Callable[[Sequence[Any]], AbstractContextManager[Any]] = lambda _: nullcontext(),
    ) -> None:
        self._model = model
        self._machine = machine
        self._end = end
        self._adapting = adapting
        self.answers: list[Answer] = []
        self._cache = DynamicCache()
        # (rows, tokens so far): 0 where a shorter row is padded on its left.
        self._mask = torch.zeros(0, 0, dtype=torch.long)

    @torch.inference_mode()
    def admit(self, answers: Sequence[Answer]) -> None:
        """Read the prompts of new answers, and choose their first token."""
        ids = _left([answer.prompt for answer in answers], 0)
        mask = _left([[1] * len(answer.prompt) for answer in answers], 0)
        cache = DynamicCache()
        logits = self._pass(answers, ids, mask, (mask.cumsum(1) - 1).clamp(min=0), cache)
        self._join(cache, mask)
        self.answers += answers
        self._take(answers, logits)
        self._leave()

    def clear(self) -> None:
        """Forget all answers under way."""
        self.answers, self._cache, self._mask = [], DynamicCache(), self._mask[:0, :0]

    @torch.inference_mode()
    def step(self) -> None:
        """Choose the next token of every answer; those that are over leave, whoever ended them."""
        self._leave()
        if not self.answers:
            return
        ids = torch.tensor([[answer.ids[-1]] for answer in self.answers])
        self._mask = torch.cat([self._mask, torch.ones(len(ids), 1, dtype=torch.long)], 1)
        logits = self._pass(self.answers, ids, self._mask, self._mask.sum(1, keepdim=True) - 1, self._cache)
        self._take(self.answers, logits)
        self._leave()

    def _pass(
        self, answers: Sequence[Answer], ids: Tensor, mask: Tensor, positions: Tensor, cache: DynamicCache
    ) -> Tensor:
        """(rows, vocabulary): the logits behind the last token of each row."""
        device = self._machine.device
        with self._machine.autocast(), self._adapting([answer.adapter for answer in answers]):
            outputs = self._model(
                input_ids=ids.to(device),
                attention_mask=mask.to(device),
                position_ids=positions.to(device),
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            )
        logits: Tensor = outputs.logits[:, -1].float()
        return logits

    def _take(self, answers: Sequence[Answer], logits: Tensor) -> None:
        for answer, row in zip(answers, logits, strict=True):
            answer.take(row, self._end)

    def _join(self, cache: DynamicCache, mask: Tensor) -> None:
        """Put the rows that have just been read below those under way, padded to one length."""
        if not self.answers:
            self._cache, self._mask = cache, mask
            return
        longest = max(self._mask.shape[1], mask.shape[1])
        for mine, new in zip(_layers(self._cache), _layers(cache), strict=True):
            mine.keys = torch.cat([_padded(mine.keys, longest), _padded(new.keys, longest)])
            mine.values = torch.cat([_padded(mine.values, longest), _padded(new.values, longest)])
        self._mask = torch.cat([_widened(self._mask, longest), _widened(mask, longest)])

    def _leave(self) -> None:
        """Let go of the rows that are over, and of padding that nobody needs any more."""
        kept = [row for row, answer in enumerate(self.answers) if answer.finish is None]
        if len(kept) == len(self.answers):
            return
        self.answers = [self.answers[row] for row in kept]
        if not kept:
            self.clear()
            return
        self._mask = self._mask[kept]
        empty = int(self._mask.argmax(1).min())
        self._mask = self._mask[:, empty:]
        for layer in _layers(self._cache):
            layer.keys = layer.keys[kept, :, empty:]
            layer.values = layer.values[kept, :, empty:]


def generate(decoder: Decoder, answers: Sequence[Answer], *, together: int) -> None:
    """Finish all answers, at most so many at a time, those with long prompts first."""
    waiting = sorted(answers, key=lambda answer: len(answer.prompt))
    while waiting or decoder.answers:
        if room := min(together - len(decoder.answers), len(waiting)):
            decoder.admit([waiting.pop() for _ in range(room)])
        else:
            decoder.step()


def _layers(cache: DynamicCache) -> list[Any]:
    """Each with its `keys` and `values`, (rows, heads, tokens, size)."""
    return list(cache.layers)


def _left(rows: Sequence[Sequence[int]], value: int) -> Tensor:
    """(rows, longest) with `value` before the shorter rows."""
    return batches.pad([row[::-1] for row in rows], value).flip(1)


def _padded(states: Tensor, longest: int) -> Tensor:
    """(rows, heads, longest, size) from (rows, heads, tokens, size), zeros on the left."""
    return torch.nn.functional.pad(states, (0, 0, longest - states.shape[2], 0))


def _widened(mask: Tensor, longest: int) -> Tensor:
    return torch.nn.functional.pad(mask, (longest - mask.shape[1], 0))
