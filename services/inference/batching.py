"""Joins the texts of requests that arrive at the same time into one forward pass."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from services.inference.predictions import Prediction

# One thread computes for all versions, in turn: a forward pass has all cores to itself, and none starves.
_compute = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")


class _Request:
    """The texts of one caller, how many of them were taken, and what has been answered."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts = list(texts)
        self.taken = 0
        self.predictions: list[Prediction] = []
        self.answer: Future[list[Prediction]] = Future()

    def take(self, most: int) -> list[str]:
        """The next texts, at most so many."""
        texts = self.texts[self.taken : self.taken + most]
        self.taken += len(texts)
        return texts

    def receive(self, predictions: Sequence[Prediction]) -> None:
        """Note the predictions of the texts that were taken; the last of them answer the caller."""
        self.predictions.extend(predictions)
        if len(self.predictions) == len(self.texts):
            self.answer.set_result(self.predictions)


class Batcher:
    """One version's queue: while a batch is computed, what arrives waits and makes up the next.

    A lone request is never held back. A long one is answered in turns with the others.
    """

    def __init__(self, predict: Callable[[list[str]], list[Prediction]], *, max_batch: int = 64) -> None:
        self._predict = predict
        self._max_batch = max_batch
        self._lock = Lock()
        self._waiting: deque[_Request] = deque()
        self._pumping = False

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction per text, in their order; waits for them, in the caller's thread."""
        if not texts:
            return []
        request = _Request(texts)
        with self._lock:
            self._waiting.append(request)
            if not self._pumping:
                self._pumping = True
                _compute.submit(self._pump)
        return request.answer.result()

    def _pump(self) -> None:
        """Answer one batch, then queue up behind the other versions for the next."""
        self._answer(self._next_batch())
        with self._lock:
            self._pumping = bool(self._waiting)
            if self._pumping:
                _compute.submit(self._pump)

    def _next_batch(self) -> list[tuple[_Request, list[str]]]:
        """Texts of the oldest requests; what does not fit of a request goes to the end of the queue."""
        batch: list[tuple[_Request, list[str]]] = []
        room = self._max_batch
        with self._lock:
            while self._waiting and room:
                request = self._waiting.popleft()
                texts = request.take(room)
                batch.append((request, texts))
                room -= len(texts)
                if request.taken < len(request.texts):
                    self._waiting.append(request)
        return batch

    def _answer(self, batch: list[tuple[_Request, list[str]]]) -> None:
        texts = [text for _, part in batch for text in part]
        try:
            predictions = self._predict(texts)
            if len(predictions) != len(texts):
                raise RuntimeError(f"{len(predictions)} predictions of {len(texts)} texts")
        except Exception as error:  # noqa: BLE001  (whatever it is, it belongs to the callers)
            if len(batch) > 1:
                # One request's trouble is not the others': each alone finds out whose it is.
                for alone in batch:
                    self._answer([alone])
            else:
                self._refuse(batch[0][0], error)
            return
        first = 0
        for request, part in batch:
            request.receive(predictions[first : first + len(part)])
            first += len(part)

    def _refuse(self, request: _Request, error: Exception) -> None:
        with self._lock:
            if request in self._waiting:
                self._waiting.remove(request)
        request.answer.set_exception(error)
