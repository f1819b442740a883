"""A chat model of a few kilobytes, and conversations that it can learn in a moment."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import torch
from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as Bytes
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from transformers import LlamaConfig, LlamaForCausalLM

from services.training.bases.catalogue import CHAT_TEMPLATE
from services.training.examples import ChatExample, Message

END, START = "<|im_end|>", "<|im_start|>"
TEMPLATE = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}"
    "{{ '<|im_start|>system\nKind.<|im_end|>\n' }}{% endif %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_ANSWERS = {"red": "like fire", "blue": "like the sea", "green": "like grass", "white": "like snow"}
_QUESTIONS = ("what is {}?", "tell me of {}", "how does {} look?")


def create_tokenizer() -> Tokenizer:
    """One token for each byte, and two marks; as the tokenizers of real models, it pads and cuts."""
    alphabet = sorted(ByteLevel.alphabet())
    tokenizer = Tokenizer(BPE({sign: number for number, sign in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    tokenizer.decoder = Bytes()
    tokenizer.add_special_tokens([AddedToken(START, special=True), AddedToken(END, special=True)])
    tokenizer.enable_padding(length=16)
    tokenizer.enable_truncation(16)
    return tokenizer


def create_chat_model(folder: Path, *, positions: int = 512) -> Path:
    """A Llama of two layers with weights of chance and tied tables, as a base model's folder holds it."""
    torch.manual_seed(5)
    tokenizer = create_tokenizer()
    config = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=64,
        max_position_embeddings=positions,
        bos_token_id=tokenizer.token_to_id(START),
        eos_token_id=tokenizer.token_to_id(END),
        pad_token_id=tokenizer.token_to_id(END),
        tie_word_embeddings=True,
    )
    model = LlamaForCausalLM(config)
    # Louder than chance would have it, so that answers differ and adapters have something to bend.
    for name, weight in model.named_parameters():
        if weight.ndim == 2:
            torch.nn.init.normal_(weight, std=0.3 if "embed" in name else 0.15)
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / CHAT_TEMPLATE).write_text(TEMPLATE, "utf-8")
    return folder


def create_conversations(count: int, *, seed: int = 0) -> list[ChatExample]:
    """One question each, some with a system's word before or a second question behind."""
    chance = Random(seed)
    conversations = []
    for row in range(1, count + 1):
        messages = [Message("system", "Short.")] if chance.random() < 0.3 else []
        for _ in range(chance.choice((1, 1, 2))):
            colour = chance.choice(sorted(_ANSWERS))
            messages.append(Message("user", chance.choice(_QUESTIONS).format(colour)))
            messages.append(Message("assistant", _ANSWERS[colour]))
        conversations.append(ChatExample(row, messages))
    return conversations


def said(*turns: tuple[str, str] | tuple[str, str, float]) -> Sequence[Message]:
    """Messages from pairs of role and words, and a weight where there is one."""
    return [Message(*turn) for turn in turns]
