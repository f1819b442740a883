"""What can go wrong with models, in a sentence each."""

from services.errors import Conflict, Invalid, NotFound, Unavailable
from services.registry.gate import Judgement


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


class WorseThanProduction(Conflict):
    """The version loses to the one in production on the same test rows."""

    code = "worse_than_production"

    def __init__(self, judged: Judgement) -> None:
        value, other = (f"{(figure or 0) * 100:.1f} %" for figure in (judged.value, judged.against_value))
        super().__init__(
            f"On the same {judged.rows:,} test rows this version reaches {value} and the one in production "
            f"{other}, so production stays. Give a reason to move it all the same; the reason is kept."
        )
        self.judged = judged


class ProductionMoved(Conflict):
    """Somebody moved production in between."""

    code = "production_moved"

    def __init__(self) -> None:
        super().__init__("Production was moved in the meantime. Load the page again and compare anew.")


class NothingBefore(Conflict):
    """There is no version to go back to."""

    code = "nothing_before"

    def __init__(self) -> None:
        super().__init__(
            "No other version of this model was in production before. Move production to one instead."
        )


class BadThreshold(Invalid):
    """Not a probability."""

    code = "bad_threshold"

    def __init__(self) -> None:
        super().__init__("A threshold lies between 0 and 1. Choose one on the model's page, or send null.")


class ExportUnknown(Invalid):
    """Models of this kind are not exported in this format."""

    code = "export_unknown"

    def __init__(self, task: str, kind: str) -> None:
        super().__init__(f"A model for {task} is not exported as {kind}. Take it as safetensors instead.")


class OnnxMissing(Unavailable):
    """ONNX cannot be made on this machine."""

    code = "onnx_missing"

    def __init__(self) -> None:
        super().__init__(
            "ONNX is not installed on this server. Ask whoever runs it for the extra “onnx”, "
            "or take the model as safetensors."
        )


class ExportFailed(Unavailable):
    """The conversion did not end well."""

    code = "export_failed"

    def __init__(self) -> None:
        super().__init__("The model could not be converted. Try again later, or take it as safetensors.")
