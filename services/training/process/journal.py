"""How a run tells what it does: phases, progress and scores, appended to `events.jsonl`."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from pydantic import ValidationError

from services.training.process.events import EventKind, Phase, RunEvent
from services.training.process.folder import RunFolder

# Any checkpoint holds the results of these; loading is done and told again.
_BEFORE_TRAINING = {Phase.familiarising, Phase.embedding, Phase.fitting}


def read(path: Path) -> list[RunEvent]:
    """The events of a file; a last line that was cut off in the writing is left out."""
    events = []
    for line in path.read_bytes().split(b"\n"):
        try:
            events.append(RunEvent.model_validate_json(line))
        except ValidationError:
            continue
    return events


def rewind(folder: RunFolder) -> None:
    """Forget what a resumed run will tell again: all events past the last complete checkpoint."""
    if not folder.events.exists():
        return
    steps = folder.steps_kept()
    kept = [
        event
        for event in read(folder.events)
        if steps is not None and _stands(event, steps, quick=folder.has_quick())
    ]
    rewritten = folder.events.with_suffix(".part")
    rewritten.write_text("".join(event.model_dump_json() + "\n" for event in kept), "utf-8")
    rewritten.replace(folder.events)


def _stands(event: RunEvent, steps: int, *, quick: bool) -> bool:
    """Whether the result of what it tells is in a checkpoint after so many steps, or in the Quick model."""
    if event.kind is EventKind.trial:
        # A search tells those that it keeps again.
        return False
    if event.phase is Phase.publishing:
        return quick
    if event.phase is Phase.training:
        return steps > 0 and event.step <= steps
    return event.phase in _BEFORE_TRAINING


class Journal:
    """Appends events and keeps the seconds of each phase."""

    def __init__(self, path: Path, gauge: Callable[[], dict[str, float]] = dict) -> None:
        """`gauge` tells what the machine does, which goes into the progress that is told."""
        self._path = path
        self._gauge = gauge
        self._phase = Phase.loading
        self._began = monotonic()
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        """Open a phase; its seconds are added up, also where it is opened again."""
        self._phase, self._began = phase, monotonic()
        self._write(RunEvent(kind=EventKind.phase, phase=phase))
        yield
        spent = monotonic() - self._began
        self.seconds[phase] = round(self.seconds.get(phase, 0.0) + spent, 3)

    def progress(
        self, step: int, steps: int, *, epoch: float = 0.0, eta_seconds: float | None = None, **values: float
    ) -> None:
        """Tell how far the phase is; without an ETA the phase's own pace so far gives one."""
        if eta_seconds is None and step:
            eta_seconds = (monotonic() - self._began) / step * (steps - step)
        self._write(
            RunEvent(
                kind=EventKind.progress,
                phase=self._phase,
                step=step,
                steps=steps,
                epoch=epoch,
                values={**values, **self._gauge()},
                eta_seconds=None if eta_seconds is None else round(eta_seconds, 1),
            )
        )

    def pace(self, rows: int) -> Callable[[int], None]:
        """A function to call with the rows done so far; it tells at most once a second, and at the end."""
        last = self._began

        def tell(done: int) -> None:
            nonlocal last
            if monotonic() - last >= 1 or done == rows:
                last = monotonic()
                self.progress(done, rows, rows_per_second=done / (last - self._began))

        return tell

    def metric(self, step: int, steps: int, *, epoch: float = 0.0, **values: float) -> None:
        """Tell a validation score."""
        self._write(
            RunEvent(
                kind=EventKind.metric, phase=self._phase, step=step, steps=steps, epoch=epoch, values=values
            )
        )

    def note(self, message: str, *, step: int = 0) -> None:
        """Tell the customer a sentence; one of training with its step, so that no resumed run repeats it."""
        self._write(RunEvent(kind=EventKind.note, phase=self._phase, step=step, message=message))

    def trial(self, step: int, how: str, **values: float) -> None:
        """Tell of settings that a search has tried, with their score, and how the trial ended."""
        self._write(RunEvent(kind=EventKind.trial, phase=self._phase, step=step, values=values, message=how))

    def _write(self, event: RunEvent) -> None:
        # One write call per line: a reader sees whole lines, save for a kill in the middle of one.
        with self._path.open("a", encoding="utf-8") as file:
            file.write(event.model_dump_json() + "\n")
