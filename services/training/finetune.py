"""The Trainer path: all weights of a network, with early stopping, checkpoints and resumption."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import EarlyStoppingCallback, PreTrainedModel, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME

from services.training import memory, networks
from services.training.bases.catalogue import WEIGHTS
from services.training.context import Run
from services.training.failures import Diverged
from services.training.memory import Fit
from services.training.process.events import Phase
from services.training.process.folder import COMPLETE, RunFolder, step_of
from services.training.recipe import Hyperparameters
from services.training.stages import Reached
from services.training.trainer import Obedience, RunTrainer

# Evaluations, and checkpoints with them, come once per epoch; more often where an epoch is long, and less
# often where epochs are many.
_MOST_STEPS_BETWEEN_EVALUATIONS = 500
_MOST_EVALUATIONS_OF_SHORT_EPOCHS = 12
_POINTS_IN_A_LOSS_CURVE = 200

Row = dict[str, Any]


@dataclass(frozen=True)
class Stage:
    """One go of the optimiser; a run may have several, which count their steps on."""

    name: str
    settings: Hyperparameters
    # Of the stages before and after this one.
    steps_before: int = 0
    steps_after: int = 0


def steps(settings: Hyperparameters, rows: int) -> int:
    """Optimiser steps over so many rows, without early stopping."""
    return math.ceil(rows / settings.batch_size) * settings.epochs


def finetune(
    run: Run,
    network: nn.Module,
    rows: Sequence[Row],
    collate: Callable[[list[Row]], dict[str, Tensor]],
    score: Callable[[], dict[str, float]],
    *,
    metric: str,
    stage: Stage | None = None,
    rows_per_pass: int | None = None,
    until: Callable[[], bool] = lambda: False,
) -> Reached:
    """Train the network, and leave it at its best validation score; without a stage, as the recipe has it.

    rows: each with `input_ids`; collate: rows to the network's inputs; score: the validation metrics by name,
    of which `metric` decides. `rows_per_pass` divides a step's rows, where not all of them are computed at
    once; without, as many are as fit the memory. `until` ends it early, with an evaluation, once it is true.
    Begins at the stage's last complete checkpoint, if there is one. Where training goes wrong after that, the
    best until then is what it came to.

    Raises:
        Diverged: training went wrong before there was anything to keep.
        DoesNotFitMemory: a single row needs more than a run may use.
        PauseAsked: the worker asked for a pause; there is a checkpoint of this very step.
    """
    stage, folder = stage or Stage("full", run.settings), run.folder
    own_steps = steps(stage.settings, len(rows))
    checkpoint = folder.last_checkpoint(stage.name)
    diverged_at: int | None = None
    with run.journal.phase(Phase.training):
        if checkpoint and (ended := _state_at_end(checkpoint)):
            state = ended
            if best := _best(state, folder, stage):
                network.load_state_dict(load_file(best / WEIGHTS))
        else:
            fitting = Fit(rows_per_pass, False) if rows_per_pass else _fit(run, network, rows, stage.settings)
            if fitting.checkpointing:
                networks.checkpoint_gradients(network)
            trainer = RunTrainer(
                model=network,
                args=_arguments(run, stage, own_steps, metric, fitting.rows),
                train_dataset=rows,
                eval_dataset=rows,  # asked for by Trainer, never read by evaluate()
                data_collator=collate,
                callbacks=[Obedience(folder, until)],
            )
            if stage.settings.patience:
                trainer.add_callback(EarlyStoppingCallback(stage.settings.patience))
            trainer.folder, trainer.journal, trainer.score = folder, run.journal, score
            trainer.lengths = [len(row["input_ids"]) for row in rows]
            trainer.before = stage.steps_before
            trainer.steps = stage.steps_before + own_steps + stage.steps_after
            trainer.layer_decay = stage.settings.layer_decay
            trainer.first_step = step_of(checkpoint) if checkpoint else 0
            if folder.smaller.exists():
                trainer.compute_smaller()
            try:
                trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
            except Diverged as diverged:
                best = _best(trainer.state, folder, stage)
                if best is None:
                    raise
                run.journal.note(f"{diverged.message} The best so far is kept.", step=diverged.step)
                network.load_state_dict(load_file(best / WEIGHTS))
                diverged_at = diverged.step
            state = trainer.state

    stopped = folder.stop.exists() and state.global_step < own_steps
    return Reached(
        score=float(state.best_metric or 0.0),
        tokens=int(state.num_input_tokens_seen),
        stopped_at=stage.steps_before + state.global_step if stopped else None,
        diverged_at=diverged_at,
    )


def _fit(run: Run, network: nn.Module, rows: Sequence[Row], settings: Hyperparameters) -> Fit:
    """How a step is computed within the memory that is left; tells where that is not all at once."""
    encoder = network.encoder
    assert isinstance(encoder, PreTrainedModel)
    learning = sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
    longest = max(len(row["input_ids"]) for row in rows)
    room = memory.left(run.machine)
    fitting = memory.fit_encoder(
        encoder.config, learning, longest, settings.batch_size, run.machine, room=room
    )
    if fitting.rows < settings.batch_size:
        run.journal.note(
            f"Of each {settings.batch_size} rows {fitting.rows} are computed at once, because the memory "
            "holds no more; what is learned stays the same."
        )
    if fitting.checkpointing:
        run.journal.note("The layers compute twice, because the memory does not hold what they would keep.")
    return fitting


def _best(state: TrainerState, folder: RunFolder, stage: Stage) -> Path | None:
    """The checkpoint with the best validation score; None before the first."""
    if state.best_global_step is None:
        return None
    best = folder.stage(stage.name) / f"checkpoint-{state.best_global_step}"
    return best if (best / COMPLETE).exists() else None


def _state_at_end(checkpoint: Path) -> TrainerState | None:
    """The Trainer's state in a checkpoint with which training was over, be it early; None in another one."""
    state = TrainerState.load_from_json(str(checkpoint / TRAINER_STATE_NAME))
    return state if state.stateful_callbacks["TrainerControl"]["args"]["should_training_stop"] else None


def _arguments(run: Run, stage: Stage, own_steps: int, metric: str, rows_per_pass: int) -> TrainingArguments:
    settings, machine = stage.settings, run.machine
    between = min(
        max(own_steps // settings.epochs, own_steps // _MOST_EVALUATIONS_OF_SHORT_EPOCHS),
        _MOST_STEPS_BETWEEN_EVALUATIONS,
    )
    return TrainingArguments(
        output_dir=str(run.folder.stage(stage.name)),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=rows_per_pass,
        gradient_accumulation_steps=settings.batch_size // rows_per_pass,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        warmup_steps=int(settings.warmup_ratio * own_steps),
        bf16=machine.bf16,
        use_cpu=machine.device.type == "cpu",
        dataloader_pin_memory=machine.device.type == "cuda",
        seed=run.recipe.seed,
        eval_strategy="steps",
        eval_steps=between,
        save_strategy="steps",
        save_steps=between,
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model=metric,
        greater_is_better=True,
        restore_callback_states_from_checkpoint=True,
        include_num_input_tokens_seen="non_padding",
        logging_steps=max(1, own_steps // _POINTS_IN_A_LOSS_CURVE),
        logging_nan_inf_filter=False,
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to="none",
    )
