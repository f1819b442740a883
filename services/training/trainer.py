"""The Trainer of transformers, taught to tell the journal, to resume within an epoch, and to obey wishes."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from time import time
from typing import Any

import torch
from torch.utils.data import Sampler
from transformers import Trainer, TrainerCallback, TrainerControl
from transformers.trainer_pt_utils import LengthGroupedSampler

from services.training import layers
from services.training.failures import LossIsNotANumber
from services.training.folder import COMPLETE, RunFolder
from services.training.journal import Journal
from services.training.wishes import heed_pause


class RunTrainer(Trainer):
    """Tells the journal how training goes, and scores the validation split with the function it is given."""

    folder: RunFolder
    journal: Journal
    score: Callable[[], dict[str, float]]
    # Sub-word tokens of each training row.
    lengths: Sequence[int]
    # Steps of the stages before this one, and steps of all stages.
    before: int
    steps: int
    # From each layer of the network to the one below it.
    layer_decay: float
    first_step: int
    # Where the present stretch of steps between two log lines began: its step and time.
    _mark: tuple[int, float] | None = None

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """The optimiser that Trainer would take, with a learning rate for each layer."""
        if self.optimizer is None:
            network: Any = self.model if model is None else model
            kind, options = self.get_optimizer_cls_and_kwargs(self.args, network)
            groups = layers.groups(
                network,
                rate=self.args.learning_rate,
                decay=self.layer_decay,
                weight_decay=self.args.weight_decay,
                decayed=set(self.get_decay_parameter_names(network)),
            )
            self.optimizer = kind(groups, **options)
        return self.optimizer

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
            rows_per_second=(step - since_step)
            * self.args.train_batch_size
            * self.args.gradient_accumulation_steps
            / (time() - since),
        )
        self._mark = (step, time())

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        super()._save_checkpoint(*args, **kwargs)
        folder = self._get_output_dir(trial=None)
        marker = Path(folder) / f"checkpoint-{self.state.global_step}" / COMPLETE
        marker.write_text(str(self.before + self.state.global_step))
        heed_pause(self.folder)

    def _get_train_sampler(self, *_: Any) -> Sampler[int]:
        return _RowsByLength(self.args.train_batch_size, self.lengths, self.args.seed)


class _RowsByLength(LengthGroupedSampler):
    """Rows of like length side by side, in an order that follows from seed and epoch alone.

    So a run that is resumed in the middle of an epoch reads the rows that it had not yet read.
    """

    def __init__(self, batch_size: int, lengths: Sequence[int], seed: int) -> None:
        super().__init__(batch_size, lengths=list(lengths))
        self._seed = seed

    def set_epoch(self, epoch: int) -> None:
        """Begin the order of an epoch; they count from 0."""
        self.generator = torch.Generator().manual_seed(self._seed + epoch)


class Obedience(TrainerCallback):
    """Does between two steps what the worker asks for: stop and keep what there is, or pause."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder

    def on_step_end(self, args: Any, state: Any, control: TrainerControl, **_: Any) -> None:  # noqa: ARG002
        """Evaluate, save and end; or save, after which the Trainer leaves off."""
        if self._folder.stop.exists():
            control.should_log = control.should_evaluate = True
            control.should_save = control.should_training_stop = True
        elif self._folder.pause.exists():
            control.should_save = True

    def on_evaluate(self, args: Any, state: Any, control: TrainerControl, **_: Any) -> None:  # noqa: ARG002
        """End with the evaluation during which the wish came."""
        if self._folder.stop.exists():
            control.should_training_stop = True
