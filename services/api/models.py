"""What can be predicted with, and what a job may start from."""

from datetime import UTC, datetime
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from sqlmodel import Session

from services.accounts import service as accounts
from services.accounts.scope import Member
from services.api.deps import Caller
from services.api.shapes import Listing, unix
from services.db import reading
from services.registry import service as registry
from services.registry.errors import ModelMissing
from services.registry.tables import ModelVersion
from services.training.bases import catalogue

router = APIRouter(prefix="/v1/models", tags=["models"])

_BASE_OWNER = "tuneport"
# Base models came with the first release.
_BASE_SINCE = unix(datetime(2026, 11, 1, tzinfo=UTC))


class Model(BaseModel):
    """A trained model of the workspace, or a base model; `id` is what requests call it by."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class TrainedModel(Model):
    """A model with the figures of the version in production; `value` is its `metric` on the test split."""

    kind: Literal["trained"] = "trained"
    model_id: str
    version: int
    version_id: str
    task: str
    base_model: str
    labels: list[str]
    metric: str
    value: float


class BaseModelShown(Model):
    """A pretrained model that a fine-tuning job may start from."""

    kind: Literal["base"] = "base"
    tasks: list[str]
    languages: list[str]
    parameters: int
    max_length: int
    # Of a row of 256 tokens, of chat 512, while it is trained on.
    memory_per_row_mb: int
    licence: str


@router.get("", summary="List the models")
def list_models(caller: Caller) -> Listing[TrainedModel | BaseModelShown]:
    """The workspace's models by name, then the base models."""
    with reading() as db:
        workspace = accounts.get_tenant(db, caller).name
        in_production = registry.production(db, caller)
        trained = [
            _trained(
                registry.get_version(db, caller, version_id=in_production[model.id]), model.name, workspace
            )
            for model in registry.models(db, caller)
        ]
    return Listing(data=[*trained, *map(_base, catalogue.entries())])


@router.get("/{model}", summary="One model")
def retrieve(model: str, caller: Caller) -> TrainedModel | BaseModelShown:
    """A model by its name or id, one of its versions by id, or a base model by its id in the catalogue."""
    with reading() as db:
        try:
            return _found(db, caller, model)
        except ModelMissing:
            for entry in catalogue.entries():
                if entry.id == model:
                    return _base(entry)
            raise


def shown(session: Session, member: Member, version: ModelVersion, *, name: str) -> TrainedModel:
    """A version under the name that it is called by."""
    return _trained(version, name, accounts.get_tenant(session, member).name)


def _found(session: Session, member: Member, name: str) -> TrainedModel:
    version = registry.resolve(session, member, name=name)
    model = registry.get_model(session, member, model_id=version.model_id)
    return shown(session, member, version, name=model.name)


def _trained(version: ModelVersion, name: str, workspace: str) -> TrainedModel:
    return TrainedModel(
        id=name,
        created=unix(version.created_at),
        owned_by=workspace,
        model_id=version.model_id,
        version=version.number,
        version_id=version.id,
        task=version.task,
        base_model=version.base_model,
        labels=version.labels,
        metric=version.metric,
        value=version.value,
    )


def _base(entry: catalogue.Entry) -> BaseModelShown:
    return BaseModelShown(
        id=entry.id,
        created=_BASE_SINCE,
        owned_by=_BASE_OWNER,
        tasks=[task.value for task in entry.tasks],
        languages=entry.languages,
        parameters=entry.parameters,
        max_length=entry.max_length,
        memory_per_row_mb=entry.memory_per_row,
        licence=entry.licence,
    )
