"""A base model in memory that answers conversations, with the adapters of whoever asks."""

from collections.abc import Sequence
from pathlib import Path

import torch

from services.inference.adapters import Adapting, LowRank
from services.inference.errors import ContextTooLong
from services.inference.writing import Writer, Writing
from services.training.adapting import causal
from services.training.conversations import load_format
from services.training.examples import Message
from services.training.generating import Answer, Decoder, Sampling
from services.training.machine import here


class Base:
    """A causal language model, shared by all adapters of it; several threads may use it at once."""

    def __init__(self, folder: Path) -> None:
        machine = here()
        self.device = machine.device
        self.dtype = torch.bfloat16 if machine.bf16 else torch.float32
        model = causal(folder, self.dtype).to(machine.device).eval()  # type: ignore[arg-type]
        self.bytes = sum(weight.nbytes for weight in model.parameters())
        self.context: int = model.config.max_position_embeddings
        self._form = load_format(folder, model.config.eos_token_id)
        adapting = Adapting(model)
        self._writer = Writer(Decoder(model, machine, end=self._form.end, adapting=adapting.rows))

    def answer(
        self,
        messages: Sequence[Message],
        *,
        adapter: LowRank | None,
        sampling: Sampling,
        most: int,
        stops: Sequence[str],
    ) -> Writing:
        """Begin the assistant's answer to a conversation, of at most so many tokens.

        Raises:
            ContextTooLong: conversation and answer have more tokens than the model reads.
            TemplateUnsuitable: the base's chat template refuses the conversation.
        """
        prompt = self._form.prompt(messages)
        if len(prompt) + most > self.context:
            raise ContextTooLong(len(prompt), most, self.context)
        writing = Writing(Answer(prompt, most, sampling, adapter), self._form, list(stops))
        self._writer.write(writing)
        return writing
