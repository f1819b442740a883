"""What can go wrong with models, in a sentence each."""

from services.errors import Conflict, Invalid, NotFound, Unavailable


class ModelMissing(NotFound):
    """No model or version is called this in the workspace."""

    code = "model_not_found"

    def __init__(self, name: str) -> None:
        Exception.__init__(self, name)
        self.message = (
            f"There is no model “{name[:120]}” in this workspace. "
            "Name a model by its name or id, or list yours with GET /v1/models."
        )


class BadModelName(Invalid):
    """A name that could not stand in a request or an address."""

    code = "bad_model_name"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"“{name[:80]}” cannot name a model. Use 1 to 60 lower-case letters, digits, dots and hyphens, "
            "beginning with a letter or digit."
        )


class ModelTaskChanged(Conflict):
    """The model's earlier versions do something else."""

    code = "model_task_changed"

    def __init__(self, name: str, task: str) -> None:
        super().__init__(f"The model “{name}” does {task}. Choose another name for this one.")


class ArtefactDamaged(Unavailable):
    """The stored files are not what was trained."""

    code = "artefact_damaged"

    def __init__(self, version_id: str) -> None:
        super().__init__(
            f"The files of model version {version_id} are damaged, so it is not used. "
            "We have been told; train it again or use another version."
        )
        self.version_id = version_id
