"""Chat: a causal language model that learns how the assistant of some conversations answers.

The base stays frozen; low-rank adapters learn, from the assistant's turns alone. Several conversations share
a row, and none sees another. Quick reads a few minutes' worth of them; Best goes on from there with a longer
context until the validation score stops rising; Custom trains as it is told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from services.training import chat_plan, packing, stages
from services.training.adapting import Adapted, causal
from services.training.artefact import Card
from services.training.chat_report import chat_scores, gain, rouge_l
from services.training.conversations import ASSISTANT, ChatFormat, Encoded, TemplateUnsuitable, load_format
from services.training.events import Phase
from services.training.examples import SPLITS, ChatExample, read_conversations
from services.training.failures import DataDoesNotFit, TemplateDoesNotFit
from services.training.finetune import Stage, finetune, steps
from services.training.folder import RunFolder
from services.training.generating import Answer, Decoder, generate
from services.training.journal import Journal
from services.training.machine import Machine
from services.training.memory import Fit, available, fit
from services.training.networks import padding_id
from services.training.packing import Row
from services.training.recipe import Hyperparameters, Preset, RunSpec, Task
from services.training.report import Baseline, ChatAnswer, ChatScores, Difference, RowCounts, Scores
from services.training.stages import Reached
from services.training.trained import Trained

METRIC = "token_likelihood"
# Tokens read in one pass without gradients, and answers written together.
_READ_TOKENS = {"cpu": 2_048, "cuda": 16_384}
_TOGETHER = {"cpu": 16, "cuda": 64}


@dataclass(frozen=True)
class _Data:
    """By the names of the splits: the conversations, and what the model reads of each."""

    conversations: dict[str, list[ChatExample]]
    encoded: dict[str, list[Encoded]]
    # Conversations, of all splits, that lost their end, and those whose answers were all in it.
    truncated: int
    left_out: int


def train(folder: RunFolder, spec: RunSpec, machine: Machine, journal: Journal) -> Trained:
    """Learn from the folder's splits.

    Raises:
        DataDoesNotFit: a split without an answer that can be learned.
        TemplateDoesNotFit: the base model's chat template refuses a conversation.
        DoesNotFitMemory: a single row needs more than a run may use.
        LossIsNotANumber: training diverged.
        PauseAsked: the worker asked for a pause.
    """
    settings = spec.recipe.hyperparameters
    with journal.phase(Phase.loading):
        base = causal(spec.base_model_path, torch.bfloat16 if machine.bf16 else torch.float32)
        form = load_format(spec.base_model_path, base.config.eos_token_id)
        data = _load(folder, form, settings.max_length)
        _tell_of_cuts(data, settings.max_length, journal)
        fitting = fit(base.config, base.num_parameters(), settings, machine, memory=available(machine))
        network = Adapted(base, settings).to(machine.device)
        if fitting.checkpointing:
            network.checkpoint_gradients()
            journal.note("The layers compute twice, because the memory does not hold what they would keep.")

    lengths = [len(one.ids) for one in data.encoded["train"]]
    chosen, brief = chat_plan.quick(chat_plan.brief(spec.recipe), lengths, spec.recipe.seed)
    few = _rows([data.encoded["train"][number].cut(brief.max_length) for number in chosen], brief.max_length)
    every = _rows(data.encoded["train"], settings.max_length)
    long = chat_plan.full(settings, spec.recipe.preset, len(every))

    def learn(stage: Stage, rows: list[Row]) -> Reached:
        return _finetune(network, data, rows, stage, fitting, spec, folder, machine, journal)

    reached = _reached(network, learn, spec, folder, journal, brief=(brief, few), long=(long, every))

    with journal.phase(Phase.evaluating):
        scores, added = _evaluate(network, form, data, spec, machine, journal)

    return Trained(
        network=network,
        card=Card(
            task=Task.chat,
            outputs=[],
            labels=[],
            max_length=settings.max_length,
            architecture="causal-lora",
            base_model=spec.recipe.base_model,
        ),
        scores=Scores(
            metric=METRIC,
            value=scores.likelihood,
            interval=scores.likelihood_interval,
            test_rows=len(data.encoded["test"]),
            worst=[],
            chat=scores,
        ),
        baselines=[Baseline(name="base-model", value=scores.base_likelihood, against=added)],
        rows=RowCounts(**{split: len(rows) for split, rows in data.encoded.items()}),
        truncated_rows=data.truncated,
        reached=reached,
    )


def _reached(
    network: Adapted,
    learn: Callable[[Stage, list[Row]], Reached],
    spec: RunSpec,
    folder: RunFolder,
    journal: Journal,
    *,
    brief: tuple[Hyperparameters, list[Row]],
    long: tuple[Hyperparameters, list[Row]],
) -> Reached:
    """The stages: Quick's, then that of Best; or Custom's alone."""
    before, after = steps(brief[0], len(brief[1])), steps(long[0], len(long[1]))
    if spec.recipe.preset is Preset.custom:
        return learn(Stage("full", long[0]), long[1])
    if spec.recipe.preset is Preset.quick:
        return learn(Stage("quick", brief[0]), brief[1])
    if folder.has_quick():
        reached = stages.restore(network, folder.quick)
    else:
        reached = learn(Stage("quick", brief[0], steps_after=after), brief[1])
    return stages.go_on(
        network,
        reached,
        partial(learn, Stage("full", long[0], steps_before=before), long[1]),
        quick_steps=before,
        preset=spec.recipe.preset,
        folder=folder,
        journal=journal,
    )


def _load(folder: RunFolder, form: ChatFormat, length: int) -> _Data:
    conversations: dict[str, list[ChatExample]] = {}
    encoded: dict[str, list[Encoded]] = {}
    truncated = left_out = 0
    for split in SPLITS:
        conversations[split], encoded[split] = [], []
        for example in read_conversations(folder.split(split)):
            whole = _encode(form, example)
            kept = whole.cut(length)
            truncated += len(whole.ids) > length
            if kept.learned:
                conversations[split].append(example)
                encoded[split].append(kept)
            else:
                left_out += 1
        if not encoded[split]:
            raise DataDoesNotFit(
                f"No answer of the assistant in the {split} split begins within the first {length:,} tokens "
                "of its conversation. Upload more conversations, or choose a larger maximum length."
            )
    return _Data(conversations, encoded, truncated, left_out)


def _encode(form: ChatFormat, example: ChatExample) -> Encoded:
    try:
        return form.encode(example.messages)
    except TemplateUnsuitable as unsuitable:
        raise TemplateDoesNotFit(example.row, str(unsuitable)) from None


def _tell_of_cuts(data: _Data, length: int, journal: Journal) -> None:
    if data.truncated:
        lost = f" {data.left_out} of them have no answer in it and are left out." if data.left_out else ""
        journal.note(
            f"{data.truncated} conversations have more than {length:,} tokens; only their beginning is read."
            + lost
        )


def _rows(encoded: Sequence[Encoded], length: int) -> list[Row]:
    """Packed rows."""
    learned = [one for one in encoded if one.learned]
    places = packing.pack([len(one.ids) for one in learned], length)
    return [packing.row([learned[number] for number in place]) for place in places]


def _finetune(
    network: Adapted,
    data: _Data,
    rows: list[Row],
    stage: Stage,
    fitting: Fit,
    spec: RunSpec,
    folder: RunFolder,
    machine: Machine,
    journal: Journal,
) -> Reached:
    """Train the adapters, scored by the likelihood of the validation split's answers."""
    seen = data.encoded["validation"][: chat_plan.VALIDATED]

    def collate(batch: list[Row]) -> dict[str, Tensor]:
        return packing.collate(batch, padding_id(network.base))

    def score() -> dict[str, float]:
        losses, tokens = _losses(network, seen, machine)
        return {METRIC: float(np.exp(-losses.sum() / tokens.sum()))}

    with journal.phase(Phase.training):
        return finetune(
            network,
            rows,
            collate,
            score,
            metric=METRIC,
            stage=stage,
            seed=spec.recipe.seed,
            folder=folder,
            machine=machine,
            journal=journal,
            rows_per_pass=min(fitting.rows, stage.settings.batch_size),
        )


def _losses(
    network: Adapted,
    encoded: Sequence[Encoded],
    machine: Machine,
    tell: Callable[[int], None] = lambda _: None,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(conversations): the negative log-likelihood of each one's answers, in nats, and their tokens."""
    network.eval()
    losses, tokens = np.zeros(len(encoded)), np.array([one.learned for one in encoded])
    done = 0
    with torch.inference_mode(), machine.autocast():
        room = max(_READ_TOKENS[machine.device.type], max(len(one.ids) for one in encoded))
        for members in packing.pack([len(one.ids) for one in encoded], room):
            batch = packing.collate([packing.row([encoded[number] for number in members])], 0)
            found, _ = network.losses(
                **{name: batch[name].to(machine.device) for name in ("input_ids", "position_ids", "weights")}
            )
            parts = torch.split(found.double().cpu(), [encoded[number].learned for number in members])
            for number, part in zip(members, parts, strict=True):
                losses[number] = float(part.sum())
            done += len(members)
            tell(done)
    return losses, tokens


def _evaluate(
    network: Adapted, form: ChatFormat, data: _Data, spec: RunSpec, machine: Machine, journal: Journal
) -> tuple[ChatScores, Difference]:
    """The test split, read and answered by the model and by its base, and what the model adds."""
    encoded = data.encoded["test"]
    losses, tokens = _losses(network, encoded, machine, journal.pace(len(encoded)))
    asked = _questions(data.conversations["test"], chat_plan.answered(spec.recipe.preset))
    answers = _answers(network, form, asked, machine)
    with network.without_adapters():
        base_losses, _ = _losses(network, encoded, machine)
        base_answers = _answers(network, form, asked, machine)

    samples = [
        ChatAnswer(
            row=example.row,
            question=example.messages[place - 1].content if place else "",
            turns=place,
            truth=(truth := example.messages[place].content),
            answer=answer,
            base_answer=base,
            rouge_l=rouge_l(truth, answer),
            base_rouge_l=rouge_l(truth, base),
        )
        for (example, place), answer, base in zip(asked, answers, base_answers, strict=True)
    ]
    samples.sort(key=lambda one: (one.rouge_l, one.row))
    scores = chat_scores(losses, base_losses, tokens, samples, left_out=data.left_out)
    return scores, gain(losses, base_losses, tokens)


def _questions(examples: Sequence[ChatExample], most: int) -> list[tuple[ChatExample, int]]:
    """The first conversations with the place of their last answer that is to be learned."""
    asked = []
    for example in examples[:most]:
        places = [
            place
            for place, message in enumerate(example.messages)
            if message.role == ASSISTANT and message.content and message.weight != 0
        ]
        asked.append((example, places[-1]))
    return asked


def _answers(
    network: Adapted, form: ChatFormat, asked: Sequence[tuple[ChatExample, int]], machine: Machine
) -> list[str]:
    """What the model says, greedily, where the assistant speaks last."""
    room = network.config.max_position_embeddings - chat_plan.ANSWER_TOKENS
    answers = [
        Answer(form.prompt(example.messages[:place])[-room:], chat_plan.ANSWER_TOKENS)
        for example, place in asked
    ]
    network.eval()
    decoder = Decoder(network.base, machine, end=form.end)
    generate(decoder, answers, together=_TOGETHER[machine.device.type])
    return [form.text(answer.ids) for answer in answers]
