"""Chat: a causal language model that learns how the assistant of some conversations answers.

The base stays frozen; low-rank adapters learn, from the assistant's turns alone. Several conversations share
a row, and none sees another. Quick reads a few minutes' worth of them; Best goes on from there with a longer
context until the validation score stops rising; Custom trains as it is told.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from services.training import packing
from services.training.adapting import Adapted, causal
from services.training.artefact import card
from services.training.context import Run
from services.training.conversations import ASSISTANT, ChatFormat, Encoded, TemplateUnsuitable, load_format
from services.training.course import Outcome, learn
from services.training.examples import SPLITS, ChatExample, read_conversations
from services.training.failures import DataDoesNotFit, TemplateDoesNotFit
from services.training.finetune import Stage, finetune, steps
from services.training.generating import Answer, Decoder, generate
from services.training.machine import Machine
from services.training.memory import Fit, available, fit
from services.training.networks import checkpoint_gradients, padding_id
from services.training.packing import Row
from services.training.process.events import Phase
from services.training.quoting import chat_plan
from services.training.recipe import Preset
from services.training.reporting.chat_report import chat_scores, gain, rouge_l
from services.training.reporting.report import Baseline, ChatAnswer, Metric, RowCounts, Scores
from services.training.stages import Outputs, Quick, Reached
from services.training.trained import Trained

METRIC: Metric = "token_likelihood"
Losses = NDArray[np.float64]
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
    form: ChatFormat
    fitting: Fit
    # What the base model came to on the test split, once it was asked: losses, and answers by their row.
    base_losses: list[Losses] = field(default_factory=list)
    base_answers: dict[int, str] = field(default_factory=dict)


def train(run: Run) -> Trained:
    """Learn from the folder's splits.

    Raises:
        DataDoesNotFit: a split without an answer that can be learned.
        TemplateDoesNotFit: the base model's chat template refuses a conversation.
        DoesNotFitMemory: a single row needs more than a run may use.
        LossIsNotANumber: training diverged.
        PauseAsked: the worker asked for a pause.
    """
    with run.journal.phase(Phase.loading):
        base = causal(run.spec.base_model_path, torch.bfloat16 if run.machine.bf16 else torch.float32)
        form = load_format(run.spec.base_model_path, base.config.eos_token_id)
        fitting = fit(
            base.config, base.num_parameters(), run.settings, run.machine, memory=available(run.machine)
        )
        data = _load(run, form, fitting)
        network = Adapted(base, run.settings).to(run.machine.device)
        if fitting.checkpointing:
            checkpoint_gradients(network)
            run.journal.note(
                "The layers compute twice, because the memory does not hold what they would keep."
            )
    quick = None if run.recipe.preset is Preset.custom else _quick
    return learn(run, network, data, quick=quick, finetune=_finetune, outputs=_outputs, judge=_judge)


def _load(run: Run, form: ChatFormat, fitting: Fit) -> _Data:
    length = run.settings.max_length
    conversations: dict[str, list[ChatExample]] = {}
    encoded: dict[str, list[Encoded]] = {}
    truncated = left_out = 0
    for split in SPLITS:
        conversations[split], encoded[split] = [], []
        for example in read_conversations(run.folder.split(split)):
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
    _tell_of_cuts(run, truncated, left_out)
    return _Data(conversations, encoded, truncated, left_out, form, fitting)


def _encode(form: ChatFormat, example: ChatExample) -> Encoded:
    try:
        return form.encode(example.messages)
    except TemplateUnsuitable as unsuitable:
        raise TemplateDoesNotFit(example.row, str(unsuitable)) from None


def _tell_of_cuts(run: Run, truncated: int, left_out: int) -> None:
    if truncated:
        lost = f" {left_out} of them have no answer in it and are left out." if left_out else ""
        run.journal.note(
            f"{truncated} conversations have more than {run.settings.max_length:,} tokens; only their "
            f"beginning is read.{lost}"
        )


def _rows(encoded: Sequence[Encoded], length: int) -> list[Row]:
    """Packed rows."""
    learned = [one for one in encoded if one.learned]
    places = packing.pack([len(one.ids) for one in learned], length)
    return [packing.row([learned[number] for number in place]) for place in places]


def _quick(run: Run, network: Adapted, data: _Data) -> Quick:
    (stage, rows), _ = _stages(run, data)
    reached = _learn(run, network, data, stage, rows)
    return Quick(reached, steps=steps(stage.settings, len(rows)))


def _finetune(run: Run, network: Adapted, data: _Data) -> Reached:
    return _learn(run, network, data, *_stages(run, data)[1])


def _stages(run: Run, data: _Data) -> tuple[tuple[Stage, list[Row]], tuple[Stage, list[Row]]]:
    """Quick's, with the rows that it reads, and the one after it; before Custom's there is none."""
    train, preset = data.encoded["train"], run.recipe.preset
    lengths = [len(one.ids) for one in train]
    chosen, brief = chat_plan.quick(chat_plan.brief(run.recipe), lengths, run.recipe.seed)
    few = _rows([train[number].cut(brief.max_length) for number in chosen], brief.max_length)
    every = _rows(train, run.settings.max_length)
    long = chat_plan.full(run.settings, preset, len(every))
    before = 0 if preset is Preset.custom else steps(brief, len(few))
    after = 0 if preset is Preset.quick else steps(long, len(every))
    return (
        (Stage("quick", brief, steps_after=after), few),
        (Stage("full", long, steps_before=before), every),
    )


def _learn(run: Run, network: Adapted, data: _Data, stage: Stage, rows: list[Row]) -> Reached:
    """Train the adapters, scored by the likelihood of the validation split's answers."""
    seen = data.encoded["validation"][: chat_plan.VALIDATED]

    def collate(batch: list[Row]) -> dict[str, Tensor]:
        return packing.collate(batch, padding_id(network.base))

    def score() -> dict[str, float]:
        losses, tokens = _losses(network, seen, run.machine)
        return {METRIC: float(np.exp(-losses.sum() / tokens.sum()))}

    together = min(data.fitting.rows, stage.settings.batch_size)
    return finetune(run, network, rows, collate, score, metric=METRIC, stage=stage, rows_per_pass=together)


def _outputs(run: Run, network: Adapted, data: _Data) -> Outputs:
    """(conversations): the negative log-likelihood of each test conversation's answers, in nats."""
    test = data.encoded["test"]
    losses, _ = _losses(network, test, run.machine, run.journal.pace(len(test)))
    return {"test": torch.from_numpy(losses)}


def _losses(
    network: Adapted,
    encoded: Sequence[Encoded],
    machine: Machine,
    tell: Callable[[int], None] = lambda _: None,
) -> tuple[Losses, NDArray[np.int64]]:
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


def _judge(run: Run, network: Adapted, data: _Data, outcome: Outcome) -> Trained:
    """The test split, answered by the model and by its base, and what the model adds."""
    losses, tokens = outcome.outputs["test"].numpy(), np.array([one.learned for one in data.encoded["test"]])
    # Before the rest of a run goes on, no more is asked than of Quick alone.
    preset = run.recipe.preset if outcome.quick or run.recipe.preset is Preset.custom else Preset.quick
    asked = _questions(data.conversations["test"], chat_plan.answered(preset))
    answers = _answers(network, data.form, asked, run.machine)
    base_losses, base_answers = _of_base(run, network, data, asked)
    samples = [
        ChatAnswer(
            row=example.row,
            question=example.messages[place - 1].content if place else "",
            turns=place,
            truth=(truth := example.messages[place].content),
            answer=answer,
            base_answer=said,
            rouge_l=rouge_l(truth, answer),
            base_rouge_l=rouge_l(truth, said),
        )
        for (example, place), answer, said in zip(asked, answers, base_answers, strict=True)
    ]
    samples.sort(key=lambda one: (one.rouge_l, one.row))
    scores = chat_scores(losses, base_losses, tokens, samples, left_out=data.left_out)
    others = {"base-model": base_losses}
    if outcome.quick:
        others["quick"] = outcome.quick["test"].numpy()
    return Trained(
        network=network,
        card=card(run, "causal-lora"),
        scores=Scores(
            metric=METRIC,
            value=scores.likelihood,
            interval=scores.likelihood_interval,
            test_rows=len(tokens),
            worst=[],
            chat=scores,
        ),
        baselines=[_against(name, losses, theirs, tokens) for name, theirs in others.items()],
        rows=RowCounts(**{split: len(rows) for split, rows in data.encoded.items()}),
        truncated_rows=data.truncated,
        reached=outcome.reached,
    )


def _against(name: str, ours: Losses, theirs: Losses, tokens: NDArray[np.int64]) -> Baseline:
    value = float(np.exp(-theirs.sum() / tokens.sum()))
    return Baseline(name=name, value=value, against=gain(ours, theirs, tokens))


def _of_base(
    run: Run, network: Adapted, data: _Data, asked: Sequence[tuple[ChatExample, int]]
) -> tuple[Losses, list[str]]:
    """What the base model makes of the test conversations, and what it answers; each is asked once."""
    said = data.base_answers
    with network.without_adapters():
        if not data.base_losses:
            data.base_losses.append(_losses(network, data.encoded["test"], run.machine)[0])
        new = [one for one in asked if one[0].row not in said]
        for (example, _), answer in zip(new, _answers(network, data.form, new, run.machine), strict=True):
            said[example.row] = answer
    return data.base_losses[0], [said[example.row] for example, _ in asked]


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
