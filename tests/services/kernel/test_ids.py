"""Ids sort by age."""

from datetime import timedelta

from services import clock, ids


def test_a_stretch_of_time_is_a_range_of_ids() -> None:
    job = ids.new("job")
    now = clock.now()

    assert ids.since("job", now - timedelta(seconds=5)) < job
    assert job < ids.since("job", now + timedelta(seconds=5))
