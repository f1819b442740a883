"""What was quoted for runs beside what they took."""

from services.jobs.quotes import Taken, kept


def taken(job_id: str, seconds: float, *, preset: str = "quick", quoted: int = 100) -> Taken:
    return Taken(job_id, "model", "Acme", preset, "text-classification", quoted, seconds)


def test_quotes_are_told_by_preset_and_task_the_one_with_the_worst_run_first() -> None:
    runs = [taken("a", 20), taken("b", 30), taken("c", 100), taken("d", 130, preset="best")]

    best, quick = kept(runs)

    assert (best.preset, best.runs, best.within) == ("best", 1, 0)
    assert (quick.runs, quick.within, quick.typical) == (3, 3, 0.3)
    assert (best.worst.job_id, quick.worst.job_id) == ("d", "c")


def test_a_share_is_of_the_most_that_was_quoted_to_that_very_run() -> None:
    [one] = kept([taken("long", 90, quoted=300), taken("short", 45, quoted=50)])

    assert one.worst.job_id == "short"
    assert one.worst.share == 0.9


def test_no_runs_are_no_lines() -> None:
    assert kept([]) == []
