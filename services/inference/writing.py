"""Answers written token by token, those of many requests together."""

from collections import deque
from queue import SimpleQueue
from threading import Lock

from services.inference.batching import compute
from services.training.conversations import ChatFormat
from services.training.generating import Answer, Decoder

# Answers under way at once, and positions in the batch, of which each keeps its keys and values in memory.
_MOST_ROWS = 16
_MOST_POSITIONS = 32_768
# A sub-word may be but a part of a letter; until the rest comes the text ends in this sign.
_UNFINISHED = "\ufffd"


class Writing:
    """One answer that is being written, as whoever asked for it reads it."""

    def __init__(self, answer: Answer, form: ChatFormat, stops: list[str]) -> None:
        self.answer = answer
        self._form = form
        self._stops = stops
        # True: there is more to read; False: that was the last; or why there will be no more.
        self.news: SimpleQueue[bool | BaseException] = SimpleQueue()
        self._read = 0
        self._over = False

    @property
    def prompt_tokens(self) -> int:
        """Tokens that the model read."""
        return len(self.answer.prompt)

    @property
    def tokens(self) -> int:
        """Tokens that it wrote so far."""
        return len(self.answer.ids)

    def take(self) -> str | None:
        """The next words, as soon as there are some; None once the answer is over.

        What might still become a stop text is held back until it is known. Waits in the caller's thread.
        """
        while not self._over:
            new = self.news.get()
            if isinstance(new, BaseException):
                raise new
            self._over = not new
            text = self._form.text(self.answer.ids)
            if (at := _first(text, self._stops, self._read)) is not None:
                self.leave()
                self._over = True
                text = text[:at]
            elif not self._over:
                text = text[: len(text) - _held_back(text, self._stops)].rstrip(_UNFINISHED)
            words, self._read = text[self._read :], max(self._read, len(text))
            if words:
                return words
        return None

    def leave(self) -> None:
        """End the answer here: nobody reads on."""
        if self.answer.finish is None:
            self.answer.finish = "stop"


class Writer:
    """Writes the answers of one base; new ones join after the token that is being written."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._lock = Lock()
        self._waiting: deque[Writing] = deque()
        self._under_way: list[Writing] = []
        self._pumping = False

    def write(self, writing: Writing) -> None:
        """Begin an answer."""
        with self._lock:
            self._waiting.append(writing)
            if not self._pumping:
                self._pumping = True
                compute.submit(self._pump)

    def _pump(self) -> None:
        """Write one token of each answer, then queue up behind the other models for the next."""
        joining = self._joining()
        try:
            if joining:
                self._decoder.admit([writing.answer for writing in joining])
            elif self._decoder.answers:
                self._decoder.step()
            failure = None
        except Exception as error:  # noqa: BLE001  (whatever it is, those who wait must hear of it)
            self._decoder.clear()
            failure = error
        everybody = self._under_way + joining
        self._under_way = []
        for writing in everybody:
            going_on = failure is None and writing.answer.finish is None
            if going_on:
                self._under_way.append(writing)
            writing.news.put(failure or going_on)
        with self._lock:
            self._pumping = bool(self._waiting or self._under_way)
            if self._pumping:
                compute.submit(self._pump)

    def _joining(self) -> list[Writing]:
        """The oldest who wait, as many as there is room for."""
        joining: list[Writing] = []
        longest = max((_positions(one) for one in self._under_way), default=0)
        with self._lock:
            while self._waiting:
                longest = max(longest, _positions(self._waiting[0]))
                rows = len(self._under_way) + len(joining) + 1
                if rows > 1 and (rows > _MOST_ROWS or rows * longest > _MOST_POSITIONS):
                    break
                joining.append(self._waiting.popleft())
        return joining


def _positions(writing: Writing) -> int:
    return len(writing.answer.prompt) + writing.answer.most


def _first(text: str, stops: list[str], start: int) -> int | None:
    """Where the first stop text begins."""
    found = [at for stop in stops if (at := text.find(stop, max(0, start - len(stop) + 1))) >= 0]
    return min(found, default=None)


def _held_back(text: str, stops: list[str]) -> int:
    """How many of the last characters may be the beginning of a stop text."""
    return max(
        (size for stop in stops for size in range(1, len(stop)) if text.endswith(stop[:size])), default=0
    )
