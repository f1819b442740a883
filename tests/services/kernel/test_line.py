"""The line in front of a SQLite file: in order, at once, and over the dead."""

import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

from services.line import Place


def test_whoever_comes_first_is_first(tmp_path: Path) -> None:
    database, came = tmp_path / "a.db", []
    front = Place(database)

    def come(number: int) -> None:
        place = Place(database)
        came.append(number)
        place.leave()

    threads = [threading.Thread(target=come, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
        time.sleep(0.05)
    assert came == []
    front.leave()
    for thread in threads:
        thread.join()

    assert came == list(range(8))


def test_the_place_of_a_process_that_dies_is_free(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    context = multiprocessing.get_context("fork")
    there = context.Event()

    def be_at_the_front() -> None:
        Place(database)
        there.set()
        signal.pause()

    process = context.Process(target=be_at_the_front)
    process.start()
    there.wait(10)
    threading.Timer(0.2, os.kill, (process.pid, signal.SIGKILL)).start()

    began = time.monotonic()
    Place(database).leave()
    process.join()

    assert 0.1 < time.monotonic() - began < 5


def test_patience_has_an_end_and_the_next_one_does_not_wait_at_all(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    front = Place(database)

    Place(database, patience=0.05).leave()
    began = time.monotonic()
    Place(database).leave()

    assert time.monotonic() - began < 1
    front.leave()


def test_each_database_has_a_line_of_its_own(tmp_path: Path) -> None:
    one, other = Place(tmp_path / "one.db"), Place(tmp_path / "other.db", patience=1)

    assert other._at_front
    one.leave()
    other.leave()
