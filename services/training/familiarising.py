"""A base model reads a customer's texts before it learns their labels: masked-language-model training.

The texts are those of the training split, or of another data set that the recipe names, of which texts that
stand in validation or test are left out.

Of each text 15 % of the sub-words are to be guessed; of these eight of ten are masked, one is another
sub-word and one stays (Devlin et al. 2019). The head is the base model's own where it has one, and otherwise
the table of sub-word vectors itself. What comes of it is a base model, from which any task goes on.
"""

import json
import math
import shutil
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, linear
from transformers import AutoModelForMaskedLM, PreTrainedModel

from services.training import batches, divergence, networks
from services.training.course import CHECKED
from services.training.examples import SPLITS
from services.training.failures import DataDoesNotFit, LossIsNotANumber, LossRunsAway
from services.training.machine import Machine
from services.training.process.events import Phase
from services.training.process.folder import RunFolder
from services.training.process.journal import Journal
from services.training.process.wishes import heed_pause
from services.training.recipe import RunSpec
from services.training.tokenizing import TOKENIZER, load_tokenizer

_GUESSED, _MASKED, _REPLACED = 0.15, 0.8, 0.1
_LEARNING_RATE, _WARMUP = 5e-5, 0.1
# Sub-words, padding included, of one optimiser step.
_TOKENS_PER_STEP = 2_048
_MASKS = ("[MASK]", "<mask>")


class _Guesser(nn.Module):
    """An encoder and what guesses sub-words from its last layer."""

    def __init__(self, encoder: PreTrainedModel, head: nn.Module | None) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.bias = nn.Parameter(torch.zeros(encoder.config.vocab_size))

    def forward(self, guessed: Tensor, **inputs: Tensor) -> Tensor:
        """(guessed, sub-words) of the positions that are true in guessed (rows, tokens)."""
        hidden: Tensor = self.encoder(**inputs).last_hidden_state[guessed]
        if self.head is not None:
            own: Tensor = self.head(hidden)
            return own.float()
        table = self.encoder.get_input_embeddings().weight
        assert isinstance(table, Tensor)
        return linear(hidden, table, self.bias).float()


def familiarise(folder: RunFolder, spec: RunSpec, machine: Machine, journal: Journal) -> tuple[RunSpec, int]:
    """The spec with a base model that has read these texts, and the sub-words that it read.

    Nothing happens where the recipe asks for no such epochs; a run that is resumed takes what there is.

    Raises:
        DataDoesNotFit: the base model has no mask.
        LossIsNotANumber, LossRunsAway: training diverged.
        PauseAsked: the worker asked for a pause; the phase begins anew then.
    """
    epochs = spec.recipe.familiarising_epochs
    made = folder.checkpoints / "familiar"
    if not epochs:
        return spec, 0
    # Written last: where it is, the rest is there as well.
    told = made / "tokens.json"
    if not told.exists():
        with journal.phase(Phase.familiarising):
            tokens = _train(folder, spec, machine, journal, epochs, made)
            told.write_text(json.dumps(tokens))
    return spec.model_copy(update={"base_model_path": made}), int(json.loads(told.read_text()))


def _train(
    folder: RunFolder, spec: RunSpec, machine: Machine, journal: Journal, epochs: int, made: Path
) -> int:
    tokenizer = load_tokenizer(spec.base_model_path, cut_to=spec.recipe.hyperparameters.max_length)
    mask = next((id_ for word in _MASKS if (id_ := tokenizer.token_to_id(word)) is not None), None)
    if mask is None:
        raise DataDoesNotFit("This base model has no mask to guess words by. Leave out the familiarising.")
    network = _guesser(spec.base_model_path).to(machine.device).train()
    networks.freeze_embedding_table(network.encoder)
    texts = _texts(folder)
    if not texts:
        raise DataDoesNotFit("The data set to get used to has no texts of its own. Name another one.")
    if folder.familiar.exists():
        journal.note(f"The base model gets used to {len(texts):,} texts of another data set.")
    rows, free = _rows(tokenizer, texts)
    order = torch.Generator().manual_seed(spec.recipe.seed)
    planned = [batches.by_length([len(row) for row in rows], _TOKENS_PER_STEP) for _ in range(epochs)]
    steps = sum(map(len, planned))
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    optimiser = torch.optim.AdamW(weights, lr=_LEARNING_RATE, weight_decay=0.01)
    warmup = max(1, round(_WARMUP * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min((step + 1) / warmup, (steps - step) / max(1, steps - warmup))
    )
    tell, done = journal.pace(steps), 0
    losses: list[float] = []
    padding = networks.padding_id(network.encoder)
    for epoch in planned:
        for number in torch.randperm(len(epoch), generator=order).tolist():
            inputs = batches.inputs([rows[row] for row in epoch[number]], padding)
            maskable = batches.pad([free[row] for row in epoch[number]], 0).bool()
            seen, guessed = masked(inputs["input_ids"], maskable, mask, tokenizer.get_vocab_size(), order)
            if guessed.any():
                with machine.autocast():
                    outputs = network(
                        guessed.to(machine.device),
                        input_ids=seen.to(machine.device),
                        attention_mask=inputs["attention_mask"].to(machine.device),
                    )
                loss = cross_entropy(outputs, inputs["input_ids"][guessed].to(machine.device))
                losses.append(loss.item())
                if not math.isfinite(losses[-1]):
                    raise LossIsNotANumber(done, _LEARNING_RATE)
                if divergence.diverges(losses):
                    raise LossRunsAway(done, _LEARNING_RATE, began=losses[0], now=losses[-1])
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(weights, 1.0)
                optimiser.step()
                optimiser.zero_grad()
            schedule.step()
            done += 1
            tell(done)
            heed_pause(folder)
    network.encoder.save_pretrained(made)
    shutil.copyfile(spec.base_model_path / TOKENIZER, made / TOKENIZER)
    return epochs * sum(map(len, rows))


def masked(
    ids: Tensor, maskable: Tensor, mask: int, vocabulary: int, chance: torch.Generator
) -> tuple[Tensor, Tensor]:
    """What the model is shown, and which positions it is to guess; all are (rows, tokens)."""
    guessed = maskable & (torch.rand(ids.shape, generator=chance) < _GUESSED)
    how = torch.rand(ids.shape, generator=chance)
    others = torch.randint(vocabulary, ids.shape, generator=chance)
    seen = torch.where(guessed & (how < _MASKED), torch.full_like(ids, mask), ids)
    replaced = guessed & (how >= _MASKED) & (how < _MASKED + _REPLACED)
    return torch.where(replaced, others, seen), guessed


def _texts(folder: RunFolder) -> list[str]:
    """Every different text that is to be read, in the order of the files."""
    if not folder.familiar.exists():
        return list(_read(folder.split("train")))
    found = dict.fromkeys(text for split in SPLITS for text in _read(folder.familiar / f"{split}.jsonl"))
    for split in CHECKED:
        for text in _read(folder.split(split)):
            found.pop(text, None)
    return list(found)


def _read(split: Path) -> dict[str, None]:
    found: dict[str, None] = {}
    for line in split.read_text("utf-8").split("\n"):
        if line:
            row = json.loads(line)
            said = [message["content"] for message in row.get("messages", ())]
            tokens = " ".join(row.get("tokens", ()))
            texts = (row.get("text"), row.get("first"), row.get("second"), tokens, *said)
            found |= dict.fromkeys(text for text in texts if text)
    return found


def _rows(tokenizer: Tokenizer, texts: list[str]) -> tuple[list[list[int]], list[list[int]]]:
    """The sub-word ids of every text, and 1 where one may be masked."""
    encodings = tokenizer.encode_batch(texts)
    return (
        [encoding.ids for encoding in encodings],
        [[1 - special for special in encoding.special_tokens_mask] for encoding in encodings],
    )


def _guesser(base_model: Path) -> _Guesser:
    """The base model with its own head where that came with weights."""
    model, told = AutoModelForMaskedLM.from_pretrained(
        base_model,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        dtype=torch.float32,
        output_loading_info=True,
    )
    head = getattr(model, "cls", None) or getattr(model, "lm_head", None)
    own = head is not None and not any(name.startswith(("cls.", "lm_head.")) for name in told["missing_keys"])
    encoder = model.base_model if own else networks.pretrained(base_model)
    return _Guesser(encoder, head if own else None)
