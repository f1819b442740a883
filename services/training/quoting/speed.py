"""How fast a device works, as a quote counts it: shipped figures, and those that a worker has measured."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ChatSpeed:
    """Of the default chat model's shape; other bases are counted by their size."""

    # Tokens per second: trained on, read without gradients, and written, several answers at a time.
    trained: float
    read: float
    written: float
    # Until a run has its libraries.
    start_seconds: float


@dataclass(frozen=True)
class Speed:
    """Of the default base model's shape; other bases are counted by their size."""

    # Sub-word tokens per second, read alone and trained on.
    read: float
    trained: float
    # Of one look at all rows by a linear head: seconds per row and label.
    fitted: float
    # Until a run has its libraries.
    start_seconds: float
    # None of workers that measured before there was chat.
    chat: ChatSpeed | None = None

    def to_json(self) -> dict[str, Any]:
        """As a worker's row keeps it."""
        return asdict(self)


def from_json(kept: dict[str, Any]) -> Speed:
    """What `Speed.to_json` gave."""
    chat = kept.get("chat")
    return Speed(**{**kept, "chat": None if chat is None else ChatSpeed(**chat)})


# For cpu measured by benchmarks/training.py on two cores of a 2.8 GHz Xeon without bfloat16 instructions, the
# slowest kind we expect; for cuda assumed, far below what one data-centre GPU does.
SHIPPED = {
    "cpu": Speed(read=6_000.0, trained=1_700.0, fitted=1.0e-8, start_seconds=8.0),
    "cuda": Speed(read=300_000.0, trained=60_000.0, fitted=1.0e-8, start_seconds=8.0),
}
# For cpu seen on two busy cores with bfloat16; for cuda assumed, far below what a data-centre GPU does.
SHIPPED_CHAT = {
    "cpu": ChatSpeed(trained=450.0, read=1_500.0, written=120.0, start_seconds=8.0),
    "cuda": ChatSpeed(trained=12_000.0, read=60_000.0, written=1_500.0, start_seconds=8.0),
}
