"""What is measured: the product's meters."""

from dataclasses import dataclass
from enum import StrEnum

from services.errors import Invalid


class Aggregation(StrEnum):
    """How the events of a period become one figure."""

    sum = "sum"


@dataclass(frozen=True, slots=True)
class Meter:
    """One thing that is counted.

    `unit` names one of it, `counts` says in a sentence what is counted and what is not, and `needs` lists the
    properties without which an event cannot be priced.
    """

    name: str
    title: str
    unit: str
    counts: str
    needs: tuple[str, ...] = ()
    aggregation: Aggregation = Aggregation.sum


TRAINING_SECONDS = Meter(
    name="training_seconds",
    title="Training",
    unit="device-second",
    counts=(
        "Seconds that a training run held a device, times the number of devices. Waiting in the queue, "
        "runs that failed and attempts that were repeated after a crash are not counted."
    ),
    needs=("device_class",),
)
TRAINED_TOKENS = Meter(
    name="trained_tokens",
    title="Trained tokens",
    unit="token",
    counts="Tokens of the training split, once for every pass over it.",
)
PREDICTIONS = Meter(
    name="predictions",
    title="Predictions",
    unit="prediction",
    counts=(
        "Texts that were answered, from the API, the playground and batch files. "
        "Refused calls are not counted."
    ),
)
GENERATED_TOKENS = Meter(
    name="generated_tokens",
    title="Generated tokens",
    unit="token",
    counts=(
        "Tokens that a model for conversations wrote in its answers, from the API and the playground. What "
        "it reads is not counted, and neither are refused calls."
    ),
)

METERS = {meter.name: meter for meter in (TRAINING_SECONDS, TRAINED_TOKENS, PREDICTIONS, GENERATED_TOKENS)}


class UnknownMeter(Invalid):
    """Nothing is measured under this name."""

    code = "unknown_meter"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no meter “{name}”. The meters are {', '.join(METERS)}.")
        self.name = name


def meter(name: str) -> Meter:
    """The meter of this name.

    Raises:
        UnknownMeter: there is none.
    """
    try:
        return METERS[name]
    except KeyError:
        raise UnknownMeter(name) from None
