"""The versions of a model: which one is live, how it got there, and from which confidence on each answers."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session

from services.accounts.scope import Member
from services.api.deps import Caller
from services.api.models import TrainedModel, shown
from services.api.shapes import Listing, Text, unix
from services.db import reading, transaction
from services.registry import aliases, exports, thresholds
from services.registry import service as registry
from services.registry.errors import ModelMissing
from services.registry.exports import ExportFormat
from services.registry.tables import AliasMove, ModelVersion, MoveKind
from services.training.reporting.report import Difference

router = APIRouter(prefix="/v1/models/{model}", tags=["models"])


class Promotion(BaseModel):
    """The number of a version; `reason` overrules that it is worse than the one in production."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: int = Field(ge=1, examples=[2])
    reason: Text | None = Field(default=None, max_length=500)


class Move(BaseModel):
    """One move of production; `difference` is that of the metric on the same test rows, where known."""

    object: Literal["move"] = "move"
    created: int
    kind: MoveKind
    from_version: int | None
    to_version: int
    moved_by: str | None
    reason: str | None
    difference: Difference | None


class Threshold(BaseModel):
    """Answers less sure than this are withheld; null gives them all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: float | None = Field(examples=[0.8])


@router.get("/versions", summary="A model's versions")
def list_versions(model: str, caller: Caller) -> Listing[TrainedModel]:
    """The versions, newest first, each under its own id."""
    with reading() as db:
        versions = _versions(db, caller, model)
        return Listing(data=[shown(db, caller, version, name=version.id) for version in versions])


@router.post("/promote", summary="Move production to a version")
def promote(model: str, promotion: Promotion, caller: Caller) -> Move:
    """Move production, unless the version loses to the one that is there on the same test rows."""
    with reading() as db:
        versions = _versions(db, caller, model)
        wanted = next((one for one in versions if one.number == promotion.version), None)
        if wanted is None:
            raise ModelMissing(f"{model}, version {promotion.version}")
    judged = aliases.judged(caller, version_id=wanted.id)
    with transaction() as db:
        move = aliases.promote(db, caller, judged=judged, reason=promotion.reason)
    return _move(move, versions)


@router.post("/rollback", summary="Move production back")
def roll_back(model: str, caller: Caller) -> Move:
    """Move production to the version that was there before, at once."""
    with reading() as db:
        versions = _versions(db, caller, model)
    with transaction() as db:
        move = aliases.roll_back(db, caller, model_id=versions[0].model_id)
    return _move(move, versions)


@router.get("/moves", summary="How production moved")
def list_moves(model: str, caller: Caller) -> Listing[Move]:
    """Every move of the model's production, newest first."""
    with reading() as db:
        versions = _versions(db, caller, model)
        moves = aliases.history(db, caller, model_id=versions[0].model_id)
    return Listing(data=[_move(move, versions) for move in moves])


@router.get("/threshold", summary="A version's threshold")
def read_threshold(model: str, caller: Caller) -> Threshold:
    """That of the version that the name means: the one in production, or one by its id."""
    with reading() as db:
        version = registry.resolve(db, caller, name=model)
        return Threshold(threshold=thresholds.of(db, caller, version_id=version.id))


@router.put("/threshold", summary="Choose a version's threshold")
def choose_threshold(model: str, wanted: Threshold, caller: Caller) -> Threshold:
    """From the next request on, less sure answers of the version that the name means are withheld."""
    with transaction() as db:
        version = registry.resolve(db, caller, name=model)
        chosen = thresholds.choose(db, caller, version_id=version.id, threshold=wanted.threshold)
        return Threshold(threshold=chosen.threshold)


@router.get("/export", summary="Take a version away", response_class=FileResponse)
def export(model: str, caller: Caller, kind: Annotated[ExportFormat, Query(alias="format")]) -> FileResponse:
    """A zip file with the model, its tokenizer and card, and the lines of Python that ask it offline."""
    with reading() as db:
        version = registry.resolve(db, caller, name=model)
    name, path = exports.export(caller, version_id=version.id, kind=kind)
    return FileResponse(path, media_type="application/zip", filename=name)


def _versions(session: Session, member: Member, name: str) -> list[ModelVersion]:
    found = registry.resolve(session, member, name=name)
    return registry.versions(session, member, model_id=found.model_id)


def _move(move: AliasMove, versions: list[ModelVersion]) -> Move:
    numbers: dict[str | None, int] = {version.id: version.number for version in versions}
    told = (move.judgement or {}).get("difference")
    return Move(
        created=unix(move.moved_at),
        kind=move.kind,
        from_version=numbers.get(move.from_version_id),
        to_version=numbers[move.to_version_id],
        moved_by=move.moved_by,
        reason=move.reason,
        difference=Difference.model_validate(told) if told else None,
    )
