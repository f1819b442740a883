"""What can go wrong with jobs, in a sentence each."""

from services.errors import Conflict, ServiceError


class JobQuotaReached(Conflict):
    """More open jobs than the plan allows."""

    code = "job_quota_reached"

    def __init__(self, limit: int) -> None:
        super().__init__(f"Your plan allows {limit} open jobs. Wait for one to finish or cancel one.")
        self.limit = limit


class JobIsOver(Conflict):
    """The job reached its end before it could be cancelled or stopped."""

    code = "job_is_over"

    def __init__(self, state: str) -> None:
        how = "was cancelled" if state == "cancelled" else f"has {state}"
        super().__init__(f"This job {how} already; there is nothing left to stop.")
        self.state = state


class JobNotRunning(Conflict):
    """A job that still waits has nothing to keep."""

    code = "job_not_running"

    def __init__(self) -> None:
        super().__init__("This job has not started, so there is nothing to keep yet. Wait, or cancel it.")


class TaskMismatch(Conflict):
    """The recipe is for another kind of labels than the data has."""

    code = "task_mismatch"

    def __init__(self, recipe: str, data: str) -> None:
        super().__init__(f"The recipe is for {recipe}, but this data set holds {data}. Choose {data}.")
        self.recipe, self.data = recipe, data


class KeyReused(Conflict):
    """An idempotency key came back with another request."""

    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(
            "This idempotency key was used for a different job. Send the same request again, or a new key."
        )


class RecipeUnreadable(ServiceError):
    """A worker found a recipe that this release cannot read."""

    code = "recipe_unreadable"

    def __init__(self) -> None:
        super().__init__(
            "The recipe of this job is not one that this release can read, so it was not started and costs "
            "nothing. Create the job again."
        )


class LeaseLost(ServiceError):
    """The worker that writes no longer holds the job; never reaches a person."""

    code = "lease_lost"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"the lease of {job_id} belongs to another attempt")
        self.job_id = job_id


class CancelRequested(ServiceError):
    """The job was cancelled while its result was about to be published; never reaches a person."""

    code = "cancel_requested"

    def __init__(self, job_id: str) -> None:
        super().__init__(f"{job_id} was cancelled before it could finish")
        self.job_id = job_id
