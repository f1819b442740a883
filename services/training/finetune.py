"""The Trainer path: all weights of a network, with early stopping, checkpoints and resumption."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import Any

from torch import Tensor, nn
from transformers import EarlyStoppingCallback, Trainer, TrainingArguments

from services.training.failures import LossIsNotANumber
from services.training.folder import COMPLETE, RunFolder, step_of
from services.training.journal import Journal
from services.training.machine import Machine
from services.training.recipe import Hyperparameters

# Evaluations, and checkpoints with them, come once per epoch, or more often where an epoch is long.
_MOST_STEPS_BETWEEN_EVALUATIONS = 500
_POINTS_IN_A_LOSS_CURVE = 200

Row = dict[str, Any]


class _Trainer(Trainer):
    """A Trainer that tells the journal, and scores the validation split with the function it is given."""

    journal: Journal
    score: Callable[[], dict[str, float]]
    # Steps of the stages before this one, and steps of all stages.
    before: int
    steps: int
    first_step: int
    # Where the present stretch of steps between two log lines began: its step and time.
    _mark: tuple[int, float] | None = None

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:
        """Score in row order: Trainer's own evaluation would group the rows by length, as training does."""
        began = time()
        metrics = {f"eval_{name}": value for name, value in self.score().items()}
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        self.journal.metric(
            self.before + self.state.global_step,
            self.steps,
            epoch=self.state.epoch or 0.0,
            **{name.removeprefix("eval_"): metrics[name] for name in metrics if name.startswith("eval_")},
        )
        if self._mark:
            self._mark = (self._mark[0], self._mark[1] + time() - began)
        return metrics

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Tell how training goes; a loss that is not a number ends it."""
        super().log(logs, start_time)
        if "loss" not in logs or start_time is None:
            return
        step = self.state.global_step
        if not math.isfinite(logs["loss"]) or not math.isfinite(logs.get("grad_norm", 0.0)):
            raise LossIsNotANumber(step, self.args.learning_rate)
        since_step, since = self._mark or (self.first_step, start_time)
        self.journal.progress(
            self.before + step,
            self.steps,
            epoch=self.state.epoch or 0.0,
            eta_seconds=(time() - start_time) / (step - self.first_step) * (self.steps - self.before - step),
            loss=logs["loss"],
            learning_rate=logs["learning_rate"],
            rows_per_second=(step - since_step) * self.args.train_batch_size / (time() - since),
        )
        self._mark = (step, time())

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        super()._save_checkpoint(*args, **kwargs)
        folder = self._get_output_dir(trial=None)
        marker = Path(folder) / f"checkpoint-{self.state.global_step}" / COMPLETE
        marker.write_text(str(self.before + self.state.global_step))


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
    network: nn.Module,
    rows: Sequence[Row],
    collate: Callable[[list[Row]], dict[str, Tensor]],
    score: Callable[[], dict[str, float]],
    *,
    metric: str,
    stage: Stage,
    seed: int,
    folder: RunFolder,
    machine: Machine,
    journal: Journal,
) -> float:
    """Train the network, leave it at its best validation score, and return that score.

    rows: each with `input_ids`; collate: rows to the network's inputs; score: the validation metrics by name,
    of which `metric` decides. Begins at the stage's last complete checkpoint, if there is one.

    Raises:
        LossIsNotANumber: training diverged.
    """
    settings = stage.settings
    own_steps = steps(settings, len(rows))
    between = min(own_steps // settings.epochs, _MOST_STEPS_BETWEEN_EVALUATIONS)
    trainer = _Trainer(
        model=network,
        args=TrainingArguments(
            output_dir=str(folder.stage(stage.name)),
            num_train_epochs=settings.epochs,
            per_device_train_batch_size=settings.batch_size,
            learning_rate=settings.learning_rate,
            weight_decay=settings.weight_decay,
            warmup_steps=int(settings.warmup_ratio * own_steps),
            train_sampling_strategy="group_by_length",
            bf16=machine.bf16,
            use_cpu=machine.device.type == "cpu",
            dataloader_pin_memory=machine.device.type == "cuda",
            seed=seed,
            eval_strategy="steps",
            eval_steps=between,
            save_strategy="steps",
            save_steps=between,
            save_total_limit=2,
            load_best_model_at_end=True,
            metric_for_best_model=metric,
            greater_is_better=True,
            restore_callback_states_from_checkpoint=True,
            logging_steps=max(1, own_steps // _POINTS_IN_A_LOSS_CURVE),
            logging_nan_inf_filter=False,
            remove_unused_columns=False,
            disable_tqdm=True,
            report_to="none",
        ),
        train_dataset=rows,
        eval_dataset=rows,  # asked for by Trainer, never read by evaluate()
        data_collator=collate,
    )
    if settings.patience:
        trainer.add_callback(EarlyStoppingCallback(settings.patience))
    checkpoint = folder.last_checkpoint(stage.name)
    trainer.journal, trainer.score = journal, score
    trainer.before, trainer.steps = stage.steps_before, stage.steps_before + own_steps + stage.steps_after
    trainer.first_step = step_of(checkpoint) if checkpoint else 0
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return float(trainer.state.best_metric or 0.0)
