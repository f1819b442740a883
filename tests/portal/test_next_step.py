"""Home says one thing to do next."""

import pytest

from portal.next_step import Progress, next_step

NOTHING = {"datasets": 0, "models": 0, "predictions": 0, "live_keys": 0}


@pytest.mark.parametrize(
    ("so_far", "page"),
    [
        ({}, "datasets"),
        ({"datasets": 1}, "new_job"),
        ({"datasets": 1, "open_job_id": "job_1"}, "job"),
        ({"datasets": 1, "models": 1}, "playground"),
        ({"datasets": 1, "models": 1, "predictions": 3}, "api_keys"),
        ({"datasets": 1, "models": 1, "predictions": 3, "live_keys": 1}, "new_job"),
    ],
)
def test_the_next_step_follows_from_how_far_one_has_come(so_far: dict[str, object], page: str) -> None:
    step = next_step(Progress(**(NOTHING | so_far)), may_edit=True)

    assert step is not None
    assert step.page == f"views/customer/{page}.py"


def test_the_job_to_watch_is_the_open_one() -> None:
    step = next_step(Progress(**NOTHING | {"open_job_id": "job_7"}), may_edit=True)

    assert step is not None
    assert step.job_id == "job_7"


def test_who_may_only_look_is_asked_for_nothing_else() -> None:
    assert next_step(Progress(**NOTHING), may_edit=False) is None
    for keys in (0, 1):
        step = next_step(
            Progress(**NOTHING | {"models": 1, "predictions": 9, "live_keys": keys}), may_edit=False
        )
        assert step is not None
        assert step.page == "views/customer/playground.py"
