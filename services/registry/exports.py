"""A version as one file to take away: weights, tokenizer, card, and the lines that ask it without us.

Weights are zipped as they are. ONNX is made by a child process, fenced in as a training run is: whoever calls
this, be it the portal, never loads torch.
"""

import json
import logging
import subprocess
import sys
import zipfile
from decimal import Decimal
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from safetensors import safe_open
from sqlmodel import Session

from services.accounts import service as accounts
from services.accounts.scope import Member, Role
from services.config import settings
from services.datasets import service as datasets
from services.db import reading
from services.errors import NotFound
from services.jobs import service as jobs
from services.registry import offline
from services.registry import service as registry
from services.registry.card import Facts, model_card
from services.registry.errors import ExportFailed, ExportUnknown, OnnxMissing
from services.registry.tables import ModelVersion
from services.training.process import fences
from services.training.process.fences import Limits
from services.training.recipe import Recipe
from services.training.reporting.answered import EVIDENCE
from services.training.reporting.report import Report

log = logging.getLogger(__name__)

_CARD, _README, _SCRIPT = "tuneport.json", "README.md", "predict.py"
_ADAPTER, _ADAPTER_SCRIPT = "adapter", "predict_adapter.py"
# The same names as in services.training.converting, which brings torch.
_CONVERTER, _PARITY, _WEIGHTS = "services.training.converting", "parity.json", "model.safetensors"
_CONVERTING_SECONDS = 300
# The last so many exports are kept on this machine.
_KEPT = 8


class ExportFormat(StrEnum):
    """What a version is exported as."""

    safetensors = "safetensors"
    onnx = "onnx"


def export(member: Member, *, version_id: str, kind: ExportFormat) -> tuple[str, Path]:
    """A name for the zip file, and where it lies on this machine. Opens its own reading transaction.

    Raises:
        RoleMissing: the member may not take models away.
        NotFound: no such version in this workspace.
        ExportUnknown: a model of this kind is not exported in this format.
        OnnxMissing: this machine cannot make ONNX.
        ArtefactDamaged, ExportFailed: the files are not what was trained, or could not be converted.
    """
    member.require(Role.editor)
    with reading() as session:
        version = registry.get_version(session, member, version_id=version_id)
        model = registry.get_model(session, member, model_id=version.model_id)
    folder = settings().cache_folder / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{version.id}-{kind}.zip"
    if not target.exists():
        _make(member, version, kind, target)
        for old in sorted(folder.glob("*.zip"), key=lambda file: file.stat().st_mtime)[:-_KEPT]:
            old.unlink(missing_ok=True)
    return f"{model.name}-v{version.number}-{kind}.zip", target


def card_of(member: Member, *, version_id: str) -> str:
    """A version's model card. Opens its own reading transaction.

    Raises:
        NotFound: no such version in this workspace.
    """
    with reading() as session:
        version = registry.get_version(session, member, version_id=version_id)
        model = registry.get_model(session, member, model_id=version.model_id)
        report = Report.model_validate(version.report)
        job = jobs.get(session, member, job_id=version.job_id)
        data = datasets.get_version(session, member, version_id=job.dataset_version_id)
        dataset = datasets.get(session, member, dataset_id=data.dataset_id)
        familiar = familiarised(session, member, recipe=report.recipe)
        currency = accounts.get_tenant(session, member).currency
    return model_card(
        Facts(
            model=model.name,
            version=version.number,
            dataset=dataset.name,
            dataset_version=data.number,
            rows_in=data.rows_in,
            rows_used=data.rows_used,
            dropped=data.dropped,
            familiarised=familiar,
            cost=f"{Decimal(job.charged or 0).scaleb(-6):f} {currency}",
        ),
        report,
    )


def familiarised(session: Session, member: Member, *, recipe: Recipe) -> str | None:
    """The texts that a base model got used to before it learned, in words; None where there were none."""
    if not recipe.familiarising_epochs:
        return None
    passes = "1 pass" if recipe.familiarising_epochs == 1 else f"{recipe.familiarising_epochs} passes"
    if recipe.familiarising_on is None:
        return f"{passes} over the training texts"
    try:
        other = datasets.get_version(session, member, version_id=recipe.familiarising_on)
    except NotFound:
        return f"{passes} over a data set that was deleted since"
    name = datasets.get(session, member, dataset_id=other.dataset_id).name
    return f"{passes} over {name}, version {other.number}, sha256 {other.content_hash}"


def _make(member: Member, version: ModelVersion, kind: ExportFormat, target: Path) -> None:
    onnx = kind is ExportFormat.onnx
    with TemporaryDirectory(dir=target.parent) as place:
        model, converted = Path(place) / "model", Path(place) / "onnx"
        registry.fetch(version, model)
        script = _script(model, onnx=onnx)
        readme = card_of(member, version_id=version.id)
        if onnx:
            if script is None:
                raise ExportUnknown(version.task, kind)
            _convert(model, converted)
            readme += _parity(converted)
        arriving = target.with_suffix(".part")
        with zipfile.ZipFile(arriving, "w", zipfile.ZIP_STORED) as bundle:
            for file in _files(model, converted, onnx=onnx):
                bundle.write(file, file.name)
            if (model / _ADAPTER).is_dir():
                for file in sorted((model / _ADAPTER).iterdir()):
                    bundle.write(file, f"{_ADAPTER}/{file.name}")
                bundle.writestr(_ADAPTER_SCRIPT, offline.ADAPTER_SCRIPT)
            bundle.writestr(_README, readme)
            if script:
                bundle.writestr(_SCRIPT, script)
        arriving.replace(target)


def _files(model: Path, converted: Path, *, onnx: bool) -> list[Path]:
    plain = [file for file in sorted(model.iterdir()) if file.is_file() and file.name != EVIDENCE]
    if not onnx:
        return plain
    kept = [file for file in plain if file.name != _WEIGHTS]
    return [*kept, *(file for file in sorted(converted.iterdir()) if file.is_file())]


def _script(model: Path, *, onnx: bool) -> str | None:
    """The lines that ask a model in a folder without us."""
    architecture: str = json.loads((model / _CARD).read_text("utf-8"))["architecture"]
    if not architecture.startswith("pair"):
        return offline.script(architecture, onnx=onnx)
    with safe_open(model / _WEIGHTS, framework="numpy") as weights:
        together = bool(weights.get_tensor("reads_together"))
    config = json.loads((model / "config.json").read_text("utf-8"))
    types = config.get("type_vocab_size", 0) > 1
    return offline.script(architecture, onnx=onnx, together=together, types=types)


def _convert(model: Path, out: Path) -> None:
    if find_spec("onnx") is None or find_spec("onnxruntime") is None:
        raise OnnxMissing
    out.mkdir()
    chosen = settings()
    allowed = Limits(
        memory=chosen.run_memory_mb * 2**20,
        disk=chosen.run_disk_mb * 2**20,
        processes=chosen.run_processes,
    )
    try:
        done = subprocess.run(  # noqa: S603  (our own interpreter and module)
            [sys.executable, "-P", "-m", _CONVERTER, str(model), str(out)],
            env=fences.environment(out.parent, allowed),
            cwd=out.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_CONVERTING_SECONDS,
        )
    except subprocess.TimeoutExpired as reason:
        raise ExportFailed from reason
    if done.returncode or not (out / _PARITY).exists():
        log.error("converting ended with %s: %s", done.returncode, done.stderr[-2_000:])
        raise ExportFailed


def _parity(converted: Path) -> str:
    told = json.loads((converted / _PARITY).read_text("utf-8"))
    return (
        f"\n## ONNX\n\nOn {told['rows']} test rows the ONNX model gave {told['same_answers']} times the same "
        f"answer; no probability or score was further off than {told['largest_difference']:.1e}.\n"
    )
