"""The one thing that a workspace would best do next. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """How far a workspace has come; `open_job_id` is a job that waits or runs, if one does."""

    datasets: int
    models: int
    predictions: int
    live_keys: int
    open_job_id: str | None = None


@dataclass(frozen=True)
class Step:
    """What to do, why, and the page that does it."""

    title: str
    reason: str
    verb: str
    icon: str
    page: str
    job_id: str | None = None


def next_step(so_far: Progress, *, may_edit: bool) -> Step | None:
    """The next step, or None for somebody who may only look where there is nothing to look at."""
    if so_far.models == 0:
        return _towards_a_model(so_far) if may_edit else None
    if so_far.predictions == 0 or not may_edit:
        return Step(
            "Try your model",
            "Write a sentence of your own and see what the model makes of it, with its scores.",
            "Open the playground",
            "experiment",
            "views/customer/playground.py",
        )
    if so_far.live_keys == 0:
        return Step(
            "Call the model from your own code",
            "Create an API key, copy three lines, and your programs can ask the model.",
            "Create an API key",
            "key",
            "views/customer/api_keys.py",
        )
    return Step(
        "Make the next version better",
        "Train again on newer or cleaner data. Production stays as it is until you move it.",
        "Start a job",
        "autorenew",
        "views/customer/new_job.py",
    )


def _towards_a_model(so_far: Progress) -> Step:
    if so_far.open_job_id is not None:
        return Step(
            "Your first model is on its way",
            "Watch it learn, or come back later: nothing is lost when you close this page.",
            "Watch the job",
            "model_training",
            "views/customer/job.py",
            so_far.open_job_id,
        )
    if so_far.datasets == 0:
        return Step(
            "Bring your labelled text",
            "A CSV, TSV, JSONL or CoNLL file of texts and labels is enough. A sample is there to start with.",
            "Add a data set",
            "upload_file",
            "views/customer/datasets.py",
        )
    return Step(
        "Train your first model",
        "You see the price and the time before it starts, and never pay more.",
        "Start a job",
        "rocket_launch",
        "views/customer/new_job.py",
    )
