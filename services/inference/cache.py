"""The versions in memory: the most recently used ones that fit."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar, cast


class Held(Protocol):
    """Something in memory, such as a version, a base model or an adapter."""

    bytes: int


Kept = TypeVar("Kept", bound=Held)


class VersionCache:
    """Loaded versions by id, of at most `capacity` bytes together; a larger one is kept alone."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._lock = threading.Lock()
        self._versions: OrderedDict[str, Future[Held]] = OrderedDict()

    def get(self, version_id: str, load: Callable[[], Kept]) -> Kept:
        """The version, loaded by `load` if it is not here; of several callers at once only one loads it.

        What `load` raises reaches all who waited for it, and the next caller tries again.
        """
        with self._lock:
            version = self._versions.get(version_id)
            mine = version is None
            if version is None:
                version = self._versions[version_id] = Future()
            self._versions.move_to_end(version_id)
        if mine:
            self._load(version_id, version, load)
        return cast(Kept, version.result())

    def forget(self, version_id: str) -> None:
        """Let go of a version; whoever is using it may finish."""
        with self._lock:
            self._versions.pop(version_id, None)

    def _load(self, version_id: str, version: Future[Held], load: Callable[[], Held]) -> None:
        try:
            version.set_result(load())
        except BaseException as error:  # noqa: BLE001  (those who wait must hear of it)
            self.forget(version_id)
            version.set_exception(error)
            return
        with self._lock:
            self._evict()

    def _evict(self) -> None:
        """Let go of the least recently used until the rest fits; versions still loading are left alone."""
        here = {id_: version for id_, version in self._versions.items() if version.done()}
        total = sum(version.result().bytes for version in here.values())
        for id_, version in here.items():
            if total <= self._capacity or len(here) == 1:
                break
            del self._versions[id_]
            total -= version.result().bytes
