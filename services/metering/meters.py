"""What is measured: the product's meters."""

from dataclasses import dataclass

from services.errors import Invalid
from services.metering.aggregation import Aggregation


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

STORED_GB_HOURS = Meter(
    name="stored_gb_hours",
    title="Storage",
    unit="GB-hour",
    counts=(
        "Files, data sets and models that are kept, in gigabytes (1,000,000,000 bytes) times hours, to the "
        "second. A day is counted when it is over."
    ),
)

METERS = {
    meter.name: meter
    for meter in (TRAINING_SECONDS, TRAINED_TOKENS, PREDICTIONS, GENERATED_TOKENS, STORED_GB_HOURS)
}


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
