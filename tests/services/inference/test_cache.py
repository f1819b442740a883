import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from services.inference.cache import VersionCache


@dataclass
class Version:
    bytes: int = 10


class Store:
    """Counts how often each version is loaded."""

    def __init__(self, cache: VersionCache) -> None:
        self.cache = cache
        self.loads: list[str] = []

    def get(self, version_id: str, *, size: int = 10) -> Any:
        def load() -> Any:
            self.loads.append(version_id)
            return Version(size)

        return self.cache.get(version_id, load)


def test_a_version_is_loaded_once() -> None:
    store = Store(VersionCache(100))

    assert store.get("a") is store.get("a")
    assert store.loads == ["a"]


def test_the_least_recently_used_version_goes_first() -> None:
    store = Store(VersionCache(30))
    for version in "abc":
        store.get(version)
    store.get("a")

    store.get("d")

    for version in "acd":
        store.get(version)
    assert store.loads == ["a", "b", "c", "d"]
    store.get("b")
    assert store.loads[-1] == "b"


def test_as_many_go_as_the_new_one_needs() -> None:
    store = Store(VersionCache(30))
    for version in "abc":
        store.get(version)

    store.get("large", size=25)
    store.get("c")

    assert store.loads == ["a", "b", "c", "large", "c"]


def test_a_version_larger_than_the_room_is_kept_alone() -> None:
    store = Store(VersionCache(5))

    store.get("a")
    store.get("a")
    store.get("b")
    store.get("a")

    assert store.loads == ["a", "b", "a"]


def test_callers_at_once_wait_for_one_load() -> None:
    cache, started, go = VersionCache(100), threading.Event(), threading.Event()
    loads: list[int] = []

    def load() -> Any:
        loads.append(1)
        started.set()
        assert go.wait(20)
        return Version()

    with ThreadPoolExecutor(8) as callers:
        answers = [callers.submit(cache.get, "a", load) for _ in range(8)]
        assert started.wait(20)
        go.set()
        found = {id(answer.result(20)) for answer in answers}

    assert len(found) == 1
    assert loads == [1]


def test_loading_one_version_does_not_hold_up_another() -> None:
    cache, go = VersionCache(100), threading.Event()

    def slow() -> Any:
        assert go.wait(20)
        return Version()

    with ThreadPoolExecutor(1) as caller:
        waiting = caller.submit(cache.get, "slow", slow)
        assert Store(cache).get("quick").bytes == 10
        go.set()
        assert waiting.result(20).bytes == 10


def test_a_load_that_failed_is_tried_again() -> None:
    cache = VersionCache(100)

    def broken() -> Any:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        cache.get("a", broken)

    assert Store(cache).get("a").bytes == 10


def test_a_forgotten_version_is_loaded_anew() -> None:
    store = Store(VersionCache(100))
    store.get("a")

    store.cache.forget("a")
    store.cache.forget("never there")
    store.get("a")

    assert store.loads == ["a", "a"]


def test_many_callers_and_little_room_never_fail() -> None:
    store = Store(VersionCache(25))

    with ThreadPoolExecutor(8) as callers:
        found = list(callers.map(lambda number: store.get(f"v{number * 7 % 5}").bytes, range(500)))

    assert found == [10] * 500
