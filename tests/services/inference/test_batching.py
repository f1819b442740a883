"""Threads that ask at the same time, and a model that waits until it is let go."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from services.inference.batching import Batcher
from services.inference.predictions import LabelPrediction, Prediction


class Gate:
    """A model that notes its batches and computes only when it is let."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.entered = threading.Semaphore(0)
        self._let = threading.Semaphore(0)

    def let(self, batches: int = 1) -> None:
        for _ in range(batches):
            self._let.release()

    def predict(self, texts: list[str]) -> list[Prediction]:
        self.batches.append(texts)
        self.entered.release()
        assert self._let.acquire(timeout=20)
        if "bad" in texts:
            raise ValueError("bad")
        return [LabelPrediction(label=text, score=1.0, scores={text: 1.0}) for text in texts]


def labels(answer: "Future[list[Prediction]] | list[Prediction]") -> list[str]:
    found = answer.result(20) if isinstance(answer, Future) else answer
    return [prediction.label for prediction in found if isinstance(prediction, LabelPrediction)]


def waiting(batcher: Batcher, requests: int) -> None:
    for _ in range(2000):
        if len(batcher._waiting) == requests:
            return
        threading.Event().wait(0.005)
    pytest.fail("the requests never queued up")


@pytest.fixture
def callers() -> "ThreadPoolExecutor":
    return ThreadPoolExecutor(16)


def test_a_lone_request_is_answered_at_once() -> None:
    gate = Gate()
    gate.let()

    assert labels(Batcher(gate.predict).predict(["a", "b"])) == ["a", "b"]
    assert gate.batches == [["a", "b"]]


def test_no_texts_ask_nothing_of_the_model() -> None:
    gate = Gate()

    assert Batcher(gate.predict).predict([]) == []
    assert gate.batches == []


def test_what_arrives_meanwhile_shares_the_next_batch(callers: ThreadPoolExecutor) -> None:
    gate = Gate()
    batcher = Batcher(gate.predict)
    first = callers.submit(batcher.predict, ["first"])
    assert gate.entered.acquire(timeout=20)
    others = {name: callers.submit(batcher.predict, [name, name.upper()]) for name in "abcdef"}
    waiting(batcher, 6)

    gate.let(2)

    assert labels(first) == ["first"]
    for name, answer in others.items():
        assert labels(answer) == [name, name.upper()]
    assert len(gate.batches) == 2


def test_a_long_request_takes_turns_with_a_short_one(callers: ThreadPoolExecutor) -> None:
    gate = Gate()
    batcher = Batcher(gate.predict, max_batch=4)
    long = callers.submit(batcher.predict, [str(number) for number in range(20)])
    assert gate.entered.acquire(timeout=20)
    short = callers.submit(batcher.predict, ["short"])
    waiting(batcher, 2)

    gate.let(3)
    assert labels(short) == ["short"]
    assert not long.done()

    gate.let(10)
    assert labels(long) == [str(number) for number in range(20)]
    assert all(len(batch) <= 4 for batch in gate.batches)


def test_versions_take_turns(callers: ThreadPoolExecutor) -> None:
    gate = Gate()
    one, other = Batcher(gate.predict, max_batch=2), Batcher(gate.predict, max_batch=2)
    busy = callers.submit(one.predict, ["1"] * 8)
    assert gate.entered.acquire(timeout=20)
    second = callers.submit(other.predict, ["2"])
    waiting(other, 1)

    gate.let(2)

    assert labels(second) == ["2"]
    gate.let(10)
    assert labels(busy) == ["1"] * 8


def test_trouble_with_one_request_is_not_the_others(callers: ThreadPoolExecutor) -> None:
    gate = Gate()
    batcher = Batcher(gate.predict)
    first = callers.submit(batcher.predict, ["first"])
    assert gate.entered.acquire(timeout=20)
    bad, good = callers.submit(batcher.predict, ["bad"]), callers.submit(batcher.predict, ["good"])
    waiting(batcher, 2)

    gate.let(10)

    assert labels(first) == ["first"]
    assert labels(good) == ["good"]
    with pytest.raises(ValueError, match="bad"):
        bad.result(20)
    assert labels(batcher.predict(["after"])) == ["after"]


def test_too_few_answers_are_an_error_and_no_endless_wait() -> None:
    with pytest.raises(RuntimeError, match="0 predictions of 1 inputs"):
        Batcher(lambda texts: []).predict(["a"])


def test_many_callers_each_get_their_own(callers: ThreadPoolExecutor) -> None:
    def predict(texts: list[str]) -> list[Prediction]:
        return [LabelPrediction(label=text, score=1.0, scores={text: 1.0}) for text in texts]

    batcher = Batcher(predict, max_batch=7)
    asked = [[f"{caller}-{number}" for number in range(caller % 19)] for caller in range(300)]

    answers = list(callers.map(batcher.predict, asked))

    assert [labels(answer) for answer in answers] == asked
