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

from services.training import divergence, layers, networks, smaller
from services.training.failures import LossIsNotANumber, LossRunsAway
from services.training.process.folder import COMPLETE, RunFolder
from services.training.process.journal import Journal
from services.training.process.wishes import heed_pause


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
    _by_halves: bool = False
    # Of the rows that a pass would have read, those that it reads.
    _share: float = 1.0

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

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        """One pass over some rows; where the memory does not suffice, once more and from then on by halves.

        Rows of the same optimiser step that an earlier pass had read are then not learnt from.
        """
        try:
            return self._passes(model, inputs, num_items_in_batch)
        except (RuntimeError, MemoryError) as error:
            # Outside of this block the tensors that the error holds are free.
            if not smaller.is_exhausted(error) or not self.folder.ask_for_smaller():
                raise
        model.zero_grad(set_to_none=True)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        step = self.before + self.state.global_step
        self.journal.note(
            f"The memory did not suffice at step {step}: from here on half as much is computed at once.",
            step=step,
        )
        self.compute_smaller()
        return self._passes(model, inputs, num_items_in_batch)

    def compute_smaller(self) -> None:
        """From now on halve each pass; of a single row its layers compute twice and keep less."""
        self._by_halves = self.args.train_batch_size > 1
        if not self._by_halves:
            assert isinstance(self.model, torch.nn.Module)
            networks.checkpoint_gradients(self.model)

    def _passes(self, model: Any, inputs: dict[str, Any], items: Any) -> torch.Tensor:
        parts = smaller.halves(inputs) if self._by_halves else [inputs]
        rows, losses = len(inputs["input_ids"]), []
        for part in parts:
            self._share = len(part["input_ids"]) / rows
            losses.append(super().training_step(model, part, items))
        return torch.stack(losses).sum()

    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        """The loss of a pass, as its share of the rows that belong together."""
        loss: Any = super().compute_loss(*args, **kwargs)
        return loss * self._share

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
        """Tell how training goes; a loss that is no number or runs away ends it."""
        super().log(logs, start_time)
        if "loss" not in logs or start_time is None:
            return
        step = self.state.global_step
        if not math.isfinite(logs["loss"]) or not math.isfinite(logs.get("grad_norm", 0.0)):
            raise LossIsNotANumber(self.before + step, self.args.learning_rate)
        losses = [entry["loss"] for entry in self.state.log_history if "loss" in entry]
        if divergence.diverges(losses):
            raise LossRunsAway(self.before + step, self.args.learning_rate, began=losses[0], now=logs["loss"])
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
    """Does between two steps what the worker asks for: stop and keep what there is, or pause.

    It also stops once `until` is true.
    """

    def __init__(self, folder: RunFolder, until: Callable[[], bool] = lambda: False) -> None:
        self._folder = folder
        self._until = until

    def on_step_end(self, args: Any, state: Any, control: TrainerControl, **_: Any) -> None:  # noqa: ARG002
        """Evaluate, save and end; or save, after which the Trainer leaves off."""
        if self._folder.stop.exists() or self._until():
            control.should_log = control.should_evaluate = True
            control.should_save = control.should_training_stop = True
        elif self._folder.pause.exists():
            control.should_save = True

    def on_evaluate(self, args: Any, state: Any, control: TrainerControl, **_: Any) -> None:  # noqa: ARG002
        """End with the evaluation during which the wish came."""
        if self._folder.stop.exists() or self._until():
            control.should_training_stop = True
