from datetime import UTC, datetime, timedelta

from portal.curves import PHASE_WORDS, smoothed, story
from services.jobs.tables import JobEvent
from services.training.process.events import Phase

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def event(
    position: int, kind: str, *, attempt: int = 1, phase: str = "training", **columns: object
) -> JobEvent:
    return JobEvent(
        tenant_id="ten_1",
        job_id="job_1",
        attempt=attempt,
        position=position,
        at=NOON + timedelta(seconds=position),
        kind=kind,
        phase=phase,
        **columns,
    )


def test_every_phase_has_its_word() -> None:
    assert set(PHASE_WORDS) == set(Phase)


def test_a_phase_lasts_until_the_next_and_the_last_one_still_goes_on() -> None:
    told = story([event(0, "phase", phase="loading"), event(4, "phase")], None)

    assert [(span.phase, span.end) for span in told.phases] == [
        ("loading", NOON + timedelta(seconds=4)),
        ("training", None),
    ]


def test_a_finished_job_ends_its_last_phase() -> None:
    told = story([event(0, "phase")], NOON + timedelta(seconds=9))

    assert told.phases[0].end == NOON + timedelta(seconds=9)


def test_curves_hold_what_was_told_of_loss_and_score() -> None:
    told = story(
        [
            event(0, "progress", step=1, values={"loss": 4.0}),
            event(1, "progress", step=2, values={"loss": 2.0, "rows_per_second": 55.0}),
            event(2, "metric", step=2, epoch=1.0, values={"f1": 0.5, "loss": 1.9}),
        ],
        None,
    )

    assert told.loss == [(1, 4.0), (2, 2.0)]
    assert told.scores == [(1.0, 0.5)]
    assert (told.metric, told.rows_per_second) == ("f1", 55.0)


def test_phases_are_those_of_the_latest_attempt() -> None:
    told = story([event(0, "phase", phase="loading"), event(1, "phase", phase="saving", attempt=2)], None)

    assert [span.phase for span in told.phases] == ["saving"]


def test_progress_counts_within_the_present_phase() -> None:
    events = [
        event(0, "phase", phase="embedding"),
        event(1, "progress", phase="embedding", step=9, steps=9),
        event(2, "phase"),
    ]
    assert story(events, None).done == 0

    events += [event(3, "progress", step=1, steps=4), event(4, "note", message="still at it")]
    assert story(events, None).done == 0.25


def test_notes_are_kept_in_order() -> None:
    told = story([event(0, "note", message="one"), event(1, "note", message="two")], None)

    assert [text for _, text in told.notes] == ["one", "two"]


def test_nothing_told_is_an_empty_story() -> None:
    told = story([], None)

    assert (told.phases, told.loss, told.scores, told.metric) == ([], [], [], None)


def test_settings_that_were_tried_stand_once_each_and_not_among_the_notes() -> None:
    tried = {"trial": 1.0, "evaluations": 2.0, "accuracy": 0.9, "learning_rate": 1e-4}
    again = {**tried, "accuracy": 0.91}

    told = story(
        [
            event(0, "trial", values=tried, message="whole"),
            event(1, "trial", values={**tried, "trial": 2.0}, message="ended early"),
            event(2, "trial", values=again, message="whole", attempt=2),
        ],
        None,
    )

    assert [(trial.number, trial.score, trial.how) for trial in told.trials] == [
        (1, 0.91, "whole"),
        (2, 0.9, "ended early"),
    ]
    assert told.trials[0].settings == {"learning_rate": 1e-4}
    assert told.notes == []


def test_a_smoothed_curve_keeps_its_ends_when_short_and_its_middle_when_long() -> None:
    noisy = [(step, 1.0 + (-1) ** step) for step in range(1, 201)]

    assert smoothed([(1, 4.0), (2, 1.0)]) == [(1, 4.0), (2, 1.0)]
    assert smoothed([]) == []
    late = [value for _, value in smoothed(noisy)[100:]]
    assert all(abs(value - 1.0) < 0.1 for value in late)


def test_classes_are_told_worst_first_with_their_way() -> None:
    told = story(
        [
            event(0, "metric", step=5, values={"accuracy": 0.5, "class/a": 0.4, "class/b": 0.9}),
            event(1, "metric", step=9, values={"accuracy": 0.7, "class/a": 0.6, "class/b": 0.5}),
            # Told again by a resumed attempt.
            event(2, "metric", step=9, attempt=2, values={"accuracy": 0.7, "class/a": 0.6, "class/b": 0.5}),
        ],
        None,
    )

    assert list(told.classes.items()) == [("b", [0.9, 0.5]), ("a", [0.4, 0.6])]


def test_the_machine_is_told_as_it_is_now() -> None:
    told = story(
        [
            event(0, "progress", step=1, values={"cpu_percent": 10.0, "memory_mb": 700.0}),
            event(1, "progress", step=2, values={"cpu_percent": 90.0, "learning_rate": 1e-4}),
        ],
        None,
    )

    assert told.device == {"cpu_percent": 90.0, "memory_mb": 700.0}
    assert told.learning_rate == 1e-4


def test_what_strengths_of_a_fit_come_to_is_no_curve_of_a_loss() -> None:
    told = story(
        [
            event(0, "progress", phase="fitting", step=1, values={"loss": 2.0}),
            event(1, "progress", step=1, values={"loss": 0.5}),
        ],
        None,
    )

    assert told.loss == [(1, 0.5)]
