"""Joins the inputs of requests that arrive at the same time into one forward pass."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

from services.inference.predictions import Input, Prediction

# One thread computes for all versions, in turn: a forward pass has all cores to itself, and none starves.
compute = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")


class _Request:
    """The inputs of one caller, how many of them were taken, and what has been answered."""

    def __init__(self, inputs: Sequence[Input]) -> None:
        self.inputs = list(inputs)
        self.taken = 0
        self.predictions: list[Prediction] = []
        self.answer: Future[list[Prediction]] = Future()

    def take(self, most: int) -> list[Input]:
        """The next inputs, at most so many."""
        inputs = self.inputs[self.taken : self.taken + most]
        self.taken += len(inputs)
        return inputs

    def receive(self, predictions: Sequence[Prediction]) -> None:
        """Note the predictions of the inputs that were taken; the last of them answer the caller."""
        self.predictions.extend(predictions)
        if len(self.predictions) == len(self.inputs):
            self.answer.set_result(self.predictions)


class Batcher:
    """One version's queue: while a batch is computed, what arrives waits and makes up the next.

    A lone request is never held back. A long one is answered in turns with the others.
    """

    def __init__(self, predict: Callable[[list[Input]], list[Prediction]], *, max_batch: int = 64) -> None:
        self._predict = predict
        self._max_batch = max_batch
        self._lock = Lock()
        self._waiting: deque[_Request] = deque()
        self._pumping = False

    def predict(self, inputs: Sequence[Input]) -> list[Prediction]:
        """One prediction per input, in their order; waits for them, in the caller's thread."""
        if not inputs:
            return []
        request = _Request(inputs)
        with self._lock:
            self._waiting.append(request)
            if not self._pumping:
                self._pumping = True
                compute.submit(self._pump)
        return request.answer.result()

    def _pump(self) -> None:
        """Answer one batch, then queue up behind the other versions for the next."""
        self._answer(self._next_batch())
        with self._lock:
            self._pumping = bool(self._waiting)
            if self._pumping:
                compute.submit(self._pump)

    def _next_batch(self) -> list[tuple[_Request, list[Input]]]:
        """Inputs of the oldest requests; what does not fit of a request goes to the end of the queue."""
        batch: list[tuple[_Request, list[Input]]] = []
        room = self._max_batch
        with self._lock:
            while self._waiting and room:
                request = self._waiting.popleft()
                inputs = request.take(room)
                batch.append((request, inputs))
                room -= len(inputs)
                if request.taken < len(request.inputs):
                    self._waiting.append(request)
        return batch

    def _answer(self, batch: list[tuple[_Request, list[Input]]]) -> None:
        inputs = [one for _, part in batch for one in part]
        try:
            predictions = self._predict(inputs)
            if len(predictions) != len(inputs):
                raise RuntimeError(f"{len(predictions)} predictions of {len(inputs)} inputs")
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
