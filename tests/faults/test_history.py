"""The checker itself: a clean history passes, and each kind of broken one is named."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.history import AttemptRow, Change, Deed, Diary, Final, JobRow, findings, read

SUBMITTED = Deed("submitted", "job", "tenant", key="key", acked=True)
FINISHED = Deed("finished", "job", "tenant", token="token", acked=True)
JOB = JobRow("job", "tenant", "key", "succeeded", 1, 3, "version", None)
ATTEMPT = AttemptRow("job", "token", "succeeded", 10.0, 20.0)
BEGUN = Change("job", "tenant", "queued", "running", "token")
ENDED = Change("job", "tenant", "running", "succeeded", "token")
FINAL = Final(
    jobs=[JOB],
    attempts=[ATTEMPT],
    changes=[BEGUN, ENDED],
    metered=Counter(job=1),
    versions=Counter(job=1),
    limits={"tenant": 1},
)
OTHER = [
    replace(JOB, id="other", key="other"),
    replace(BEGUN, job_id="other", token="second"),
    replace(ENDED, job_id="other", token="second"),
]


def kinds(deeds: list[Deed], final: Final) -> set[str]:
    return {finding.what for finding in findings(deeds, final)}


def test_a_clean_history_passes() -> None:
    assert findings([SUBMITTED, FINISHED], FINAL) == []


def test_a_submit_without_answer_may_have_happened_or_not() -> None:
    unknown = replace(SUBMITTED, acked=False)

    assert findings([unknown, FINISHED], FINAL) == []
    assert findings([SUBMITTED, FINISHED, replace(unknown, job_id="never")], FINAL) == []


@pytest.mark.parametrize(
    ("kind", "deeds", "final"),
    [
        ("lost", [SUBMITTED, replace(SUBMITTED, job_id="gone"), FINISHED], FINAL),
        ("lost", [SUBMITTED], replace(FINAL, jobs=[replace(JOB, state="queued")])),
        ("unexpected", [FINISHED], FINAL),
        ("duplicated", [SUBMITTED], replace(FINAL, jobs=[JOB, replace(JOB, id="twin")])),
        ("duplicated", [SUBMITTED], replace(FINAL, changes=[BEGUN, ENDED, ENDED])),
        ("illegal", [SUBMITTED], replace(FINAL, changes=[replace(ENDED, before="queued")])),
        ("illegal", [SUBMITTED], replace(FINAL, changes=[BEGUN, ENDED, replace(BEGUN, before="succeeded")])),
        ("illegal", [SUBMITTED], replace(FINAL, changes=[BEGUN])),
        ("over cap", [SUBMITTED], replace(FINAL, changes=[BEGUN, OTHER[1], ENDED, OTHER[2]])),
        ("overlapping", [SUBMITTED], replace(FINAL, attempts=[ATTEMPT, replace(ATTEMPT, claimed_at=15.0)])),
        ("overlapping", [SUBMITTED], replace(FINAL, attempts=[replace(ATTEMPT, ended_at=None)])),
        ("untrue", [SUBMITTED, replace(FINISHED, token="stale")], FINAL),
        ("untrue", [SUBMITTED, Deed("cancelled", "job", "tenant", acked=True)], FINAL),
        ("unpaid", [SUBMITTED], replace(FINAL, metered=Counter())),
        ("unpaid", [SUBMITTED], replace(FINAL, metered=Counter(job=2))),
        ("unpaid", [SUBMITTED], replace(FINAL, versions=Counter(job=2))),
        ("unpaid", [SUBMITTED], replace(FINAL, jobs=[replace(JOB, model_version_id=None)])),
    ],
)
def test_a_broken_history_is_named(kind: str, deeds: list[Deed], final: Final) -> None:
    assert kind in kinds(deeds, final)


def test_a_diary_keeps_what_was_asked_and_what_was_answered(tmp_path: Path) -> None:
    diary = Diary(tmp_path / "actor")
    number = diary.ask(replace(SUBMITTED, acked=False))
    diary.ask(replace(FINISHED, acked=False))
    diary.ack(number)

    assert read([tmp_path / "actor"]) == [SUBMITTED, replace(FINISHED, acked=False)]
