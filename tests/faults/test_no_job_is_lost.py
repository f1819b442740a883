"""Promise 1: every acknowledged submit ends in exactly one final state, whatever is killed meanwhile."""

import os
import random
import signal
import time
from collections.abc import Callable
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from services.config import settings
from services.db import engine_for
from tests.faults.conftest import SECONDS
from tests.faults.crew import LEASE_SECONDS, PATIENCE_SECONDS, World, together
from tests.faults.proxy import Proxy

WORKERS = 4
CUSTOMERS = 3
# A long storm, and the time to do all work that it left.
pytestmark = pytest.mark.timeout(300 + 3 * SECONDS)
POSTGRES_ONLY = pytest.mark.parametrize("template", ["postgres"], indirect=True)


def be_customer(world: World, until: float) -> None:
    """Submit, and cancel now and then; with the same key again where no answer came."""
    chance = random.Random()
    while time.monotonic() < until:
        member, key = chance.choice(world.members), uuid4().hex
        insist(partial(world.submit, member, key=key))
        if chance.random() < 0.2:
            insist(partial(world.cancel_any, chance))
        time.sleep(chance.uniform(0.05, 0.3))


def insist(deed: Callable[[], object]) -> None:
    """Try until the database answers."""
    for _ in range(200):
        try:
            deed()
            return
        except DBAPIError:
            time.sleep(0.05)
    raise AssertionError("the database stays away")


def kill_and_pause_workers(world: World, until: float) -> None:
    chance = random.Random()
    while time.monotonic() < until:
        time.sleep(chance.uniform(0.1, 0.5))
        victim = chance.choice(world.workers)
        if chance.random() < 0.7:
            world.kill(victim)
            world.start()
        else:
            os.kill(victim, signal.SIGSTOP)
            time.sleep(chance.uniform(0.1, 1.5 * LEASE_SECONDS))
            os.kill(victim, signal.SIGCONT)


def storm(world: World, *forces: Callable[[World, float], None]) -> None:
    """Let workers and customers work while the forces do what they do, then let all work be done."""
    for _ in range(WORKERS):
        world.start()
    until = time.monotonic() + SECONDS
    together(*[lambda act=act: act(world, until) for act in [be_customer] * CUSTOMERS + list(forces)])
    world.drain(PATIENCE_SECONDS + SECONDS)


def test_no_accepted_job_is_lost_while_workers_are_killed_and_paused(world: World) -> None:
    storm(world, kill_and_pause_workers)

    assert world.findings() == []


@POSTGRES_ONLY
def test_no_accepted_job_is_lost_while_the_database_is_killed_and_the_network_fails(
    world: World, restart_database: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Proxy(settings().database_url) as proxy:
        monkeypatch.setenv("TUNEPORT_DATABASE_URL", proxy.url)
        settings.cache_clear()

        def fail_the_network(_: World, until: float) -> None:
            chance = random.Random()
            # A short storm may choose none of these: it begins with some.
            proxy.lose_commits(3)
            while time.monotonic() < until:
                time.sleep(chance.uniform(0.1, 0.4))
                chance.choice([proxy.cut, lambda: proxy.lose_commits(3), lambda: go_silent(proxy)])()

        def kill_the_database(_: World, until: float) -> None:
            while time.monotonic() < until:
                time.sleep(SECONDS / 3)
                restart_database()

        storm(world, fail_the_network, kill_the_database)

        assert world.findings() == []
        assert proxy.commits_lost
        world.close()
        engine_for(proxy.url).dispose()


def go_silent(proxy: Proxy) -> None:
    """Swallow answers for a while, and only then end the connections that wait for them."""
    proxy.half_open, proxy.delay = True, 0.01
    time.sleep(0.2)
    proxy.half_open, proxy.delay = False, 0.0
    proxy.cut()
