"""A worker measures its device when idle, gives way to jobs, and does so once for host and versions."""

import pytest

from services.db import reading, transaction
from services.jobs import workers
from services.jobs.tables import Worker
from services.training.quoting import device as devices
from services.training.quoting.speed import Speed
from services.worker import measurement
from services.worker.measurement import IDLE_TURNS, Measurement

SPEED = Speed(read=5_000.0, trained=1_200.0, fitted=2.0e-8, start_seconds=4.0)


class Instant:
    """Measures at once, and counts how often it was asked to."""

    begun = ended = 0

    def __init__(self) -> None:
        type(self).begun += 1

    def speed(self) -> Speed | None:
        return SPEED

    def give_way(self) -> None:
        type(self).ended += 1


class Broken(Instant):
    def speed(self) -> Speed | None:
        raise ValueError


@pytest.fixture
def instant(monkeypatch: pytest.MonkeyPatch) -> type[Instant]:
    kind = type("Counting", (Instant,), {})
    monkeypatch.setattr(measurement, "Measuring", kind)
    return kind


def register(host: str = "one") -> str:
    with transaction() as session:
        return workers.register(session, host=host, process=1, device="cpu", device_name="two cores").id


def speed_of(worker_id: str) -> dict[str, float] | None:
    with reading() as session:
        return session.get_one(Worker, worker_id).speed


@pytest.mark.usefixtures("live_database")
def test_an_idle_worker_measures_once_and_the_next_one_of_its_kind_takes_it_over(
    instant: type[Instant],
) -> None:
    first = register()
    own = Measurement(first)
    for _ in range(IDLE_TURNS + 5):
        own.go_on()
    second, elsewhere = register(), register("two")
    for worker_id in (second, elsewhere):
        other = Measurement(worker_id)
        for _ in range(IDLE_TURNS):
            other.go_on()

    assert instant.begun == 2
    assert speed_of(first) == speed_of(second) == SPEED.to_json()
    assert speed_of(elsewhere) is None
    with reading() as session:
        assert workers.speeds(session, "cpu") == [SPEED, SPEED]
        assert workers.speeds(session, "cuda") == []


@pytest.mark.usefixtures("live_database")
def test_a_job_ends_a_measurement_which_begins_anew_later(instant: type[Instant]) -> None:
    own = Measurement(register())
    for _ in range(IDLE_TURNS):
        own.go_on()
    own.give_way()
    assert (instant.begun, instant.ended) == (1, 1)

    for _ in range(IDLE_TURNS):
        own.go_on()

    assert instant.begun == 2


@pytest.mark.usefixtures("live_database")
def test_a_device_that_cannot_be_measured_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measurement, "Measuring", Broken)
    worker_id = register()
    own = Measurement(worker_id)

    for _ in range(IDLE_TURNS + 3):
        own.go_on()

    assert speed_of(worker_id) is None


def test_versions_name_what_decides_the_speed() -> None:
    assert "torch" in devices.versions()
