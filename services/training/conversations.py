"""Conversations into sub-word ids, alike in training and in answering, and which of them are learned."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from services.training.bases.catalogue import chat_template
from services.training.examples import Message
from services.training.tokenizing import load_tokenizer

ASSISTANT = "assistant"
# Stands for the words of a message while the template is filled in: private characters around its number.
_PLACE = re.compile("\ue000([0-9]+)\ue001")


class TemplateUnsuitable(ValueError):
    """The chat template refuses the conversation, loses a message, or does not end the assistant's turns."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A conversation as the model reads it; `weights[i]` is how much `ids[i]` is learned, 0 not at all."""

    ids: list[int]
    weights: list[float]

    @property
    def learned(self) -> int:
        """Tokens that carry loss."""
        return sum(weight > 0 for weight in self.weights)

    def cut(self, length: int) -> "Encoded":
        """Its beginning."""
        return Encoded(self.ids[:length], self.weights[:length])


class ChatFormat:
    """The tokenizer and the chat template of a base model; several threads may use it at once.

    What people write never becomes a mark of the template: `<|im_end|>` in a message is read as its letters.
    """

    def __init__(self, tokenizer: Tokenizer, template: str, end: int) -> None:
        # The token with which the assistant ends its turn.
        self.end = end
        self._marks = tokenizer
        self._words = Tokenizer.from_str(tokenizer.to_str())
        self._words.encode_special_tokens = True
        # What it fills in is ids, never a page.
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.globals["raise_exception"] = _refuse
        self._template = environment.from_string(template)

    def encode(self, messages: Sequence[Message]) -> Encoded:
        """A whole conversation: the assistant's words and the mark that ends them are learned.

        A turn's `weight` counts for each of its tokens (default 1); an empty turn is not learned.

        Raises:
            TemplateUnsuitable: the template and the conversation do not fit each other.
        """
        ids: list[int] = []
        weights: list[float] = []
        weight = 0.0
        for message, part in self._parts(messages, prompt=False):
            learned = 0
            if message is not None:
                weight = _weight(message)
                learned = len(part)
            elif weight:
                if self.end not in part:
                    raise TemplateUnsuitable("the template does not end the assistant's turn")
                # What stands behind the mark belongs to the next turn.
                learned = part.index(self.end) + 1
            ids += part
            weights += [weight] * learned + [0.0] * (len(part) - learned)
            weight = weight if message is not None else 0.0
        return Encoded(ids, weights)

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        """A conversation up to where the assistant's next words begin.

        Raises:
            TemplateUnsuitable: the template and the conversation do not fit each other.
        """
        return [id_ for _, part in self._parts(messages, prompt=True) for id_ in part]

    def text(self, ids: Sequence[int]) -> str:
        """What an answer says, without marks."""
        said: str = self._marks.decode(list(ids), skip_special_tokens=True)
        return said

    def _parts(
        self, messages: Sequence[Message], *, prompt: bool
    ) -> Iterator[tuple[Message | None, list[int]]]:
        """The ids of the template's marks (None) and of each message's words, in turn."""
        spoken = [
            {"role": message.role, "content": f"\ue000{number}\ue001" if message.content else ""}
            for number, message in enumerate(messages)
        ]
        try:
            rendered = self._template.render(messages=spoken, add_generation_prompt=prompt, tools=None)
        except TemplateError as error:
            raise TemplateUnsuitable(str(error)) from error
        marks, *rest = _PLACE.split(rendered)
        told = [int(number) for number in rest[::2]]
        if told != [number for number, message in enumerate(messages) if message.content]:
            raise TemplateUnsuitable("the template loses or moves a message")
        yield None, self._marks.encode(marks, add_special_tokens=False).ids
        for number, after in zip(told, rest[1::2], strict=True):
            words = messages[number].content
            yield messages[number], self._words.encode(words, add_special_tokens=False).ids
            yield None, self._marks.encode(after, add_special_tokens=False).ids


def load_format(folder: Path, end: int) -> ChatFormat:
    """The chat format of a base model or artefact; `end` is its config's `eos_token_id`."""
    return ChatFormat(load_tokenizer(folder), chat_template(folder), end)


def _weight(message: Message) -> float:
    if message.role != ASSISTANT:
        return 0.0
    return 1.0 if message.weight is None else message.weight


def _refuse(message: str) -> str:
    raise TemplateError(message)
