"""Chat: `python -m benchmarks.chat BASE_MODEL_FOLDER`.

On the sample conversations, in one run: tokens a second trained with packed rows and with padded batches of
single conversations, and tokens a second written alone and sixteen at a time, with the time to the first.
"""

import sys
from pathlib import Path
from time import perf_counter

import torch

from services.datasets.preview import inspect
from services.datasets.reading import read
from services.datasets.samples import GARDEN_ADVICE
from services.training import packing
from services.training.adapting import Adapted, causal
from services.training.conversations import Encoded, load_format
from services.training.examples import Message
from services.training.generating import Answer, Decoder, generate
from services.training.machine import here
from services.training.recipe import Preset, Task, defaults

_PASSES = 8
_ANSWER = 48


def trained_per_second(network: Adapted, rows: list[list[Encoded]], at_once: int) -> float:
    """Learned-from tokens a second, forward and backward, of so many rows in a pass."""
    machine = here()
    began, tokens = 0.0, 0
    for number in range(_PASSES + 1):
        if number == 1:
            began = perf_counter()  # the first pass warms up
        chosen = [rows[(number * at_once + offset) % len(rows)] for offset in range(at_once)]
        batch = packing.collate([packing.row(row) for row in chosen], 0)
        with machine.autocast():
            network(**batch)["loss"].backward()
        if number:
            tokens += int(batch["attention_mask"].sum())
    return tokens / (perf_counter() - began)


def main(folder: Path) -> None:
    machine = here()
    base = causal(folder, torch.bfloat16 if machine.bf16 else torch.float32)
    form = load_format(folder, base.config.eos_token_id)
    content = GARDEN_ADVICE.read()
    examples = read(content, inspect(content)[0]).examples
    said = [
        [Message(m.role.value, m.content) for m in example.messages]
        for example in examples  # type: ignore[union-attr]
    ]
    encoded = [form.encode(messages) for messages in said]
    lengths = [len(one.ids) for one in encoded]
    print(f"{machine.name}; bfloat16 {'used' if machine.bf16 else 'not used'}; {folder.name}")
    print(
        f"{len(encoded)} conversations of {min(lengths)} to {max(lengths)} tokens, {sum(lengths):,} in all\n"
    )

    network = Adapted(base, defaults(Preset.quick, Task.chat))
    packed = [[encoded[number] for number in row] for row in packing.pack(lengths, 512)]
    singles = [[one] for one in encoded]
    print("| rows | tokens/s trained |\n| --- | --- |")
    print(f"| one packed row of 512 a pass | {trained_per_second(network, packed, 1):,.0f} |")
    print(f"| 8 conversations a pass, padded | {trained_per_second(network, singles, 8):,.0f} |")
    print(f"| 1 conversation a pass | {trained_per_second(network, singles, 1):,.0f} |\n")

    network.eval()
    print("| answers at a time | tokens/s written | first token |\n| --- | --- | --- |")
    for together in (1, 16):
        decoder = Decoder(network.base, machine, end=-1)
        answers = [Answer(form.prompt(messages[:1]), _ANSWER) for messages in said[:together]]
        began = perf_counter()
        decoder.admit(answers)
        first = perf_counter() - began
        generate(decoder, [], together=together)
        written = sum(len(answer.ids) for answer in answers)
        print(f"| {together} | {written / (perf_counter() - began):,.0f} | {first * 1000:,.0f} ms |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
