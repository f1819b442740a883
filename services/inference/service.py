"""Predictions of any version: fetched and loaded when first asked for, kept while there is room, batched."""

import os
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

# Before torch starts its threads: idle ones then sleep, and leave the cores to what answers requests.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from services.config import settings
from services.inference import engine
from services.inference.cache import VersionCache
from services.inference.errors import ChatExpected, ConversationUnsuitable, NoChatModel
from services.inference.folders import folder_of
from services.inference.predictions import Input, Prediction
from services.inference.withholding import withhold
from services.registry.tables import ModelVersion
from services.training.bases import catalogue
from services.training.conversations import TemplateUnsuitable
from services.training.examples import Message
from services.training.generating import Sampling
from services.training.recipe import Task

if TYPE_CHECKING:
    from services.inference.writing import Writing


def predict(
    version: ModelVersion, inputs: Sequence[Input], *, threshold: float | None = None
) -> list[Prediction]:
    """One prediction per input, in their order; what comes at the same time is answered together.

    threshold: the version's, as `registry.thresholds` has it; what is below it is withheld.

    Waits in the caller's thread, also for the version to be fetched and loaded; no transaction is open then.

    Raises:
        TextExpected, PairExpected: an input is not of the kind that the version's task reads.
        ChatExpected: the version answers conversations.
        ArtefactDamaged: the version's files are not what was trained.
    """
    if version.task == Task.chat:
        raise ChatExpected
    loaded = _kept().get(version.id, lambda: engine.load(folder_of(version)))
    return withhold(loaded.predict(inputs), threshold)


def answer(
    version: ModelVersion,
    messages: Sequence[Message],
    *,
    sampling: Sampling,
    most: int,
    stops: Sequence[str] = (),
    untuned: bool = False,
) -> "Writing":
    """Begin a version's answer to a conversation, of at most so many tokens; its base model's, if `untuned`.

    The weights of a base are in memory once, whoever's versions stand on it. Where the base itself cannot be
    had any more, the version's merged weights answer.

    Raises:
        NoChatModel: the version does not answer conversations.
        ContextTooLong: conversation and answer have more tokens than the model reads.
        ConversationUnsuitable: the base's chat template refuses the conversation.
        ArtefactDamaged: the version's files are not what was trained.
    """
    if version.task != Task.chat:
        raise NoChatModel
    # Imported here: peft and what it needs take a second, of which nobody should wait who only predicts.
    from services.inference.adapters import LowRank
    from services.inference.chat import Base
    from services.training.adapting import ADAPTER

    adapter = None
    try:
        folder = catalogue.resolve(version.base_model, settings().cache_folder)
        base = _kept().get(f"base:{version.base_model}", lambda: Base(folder))
        if not untuned:
            adapter = _kept().get(
                version.id,
                lambda: LowRank.load(folder_of(version, part=ADAPTER) / ADAPTER, base.device, base.dtype),
            )
    except (catalogue.BaseModelMissing, catalogue.BaseModelDamaged):
        if untuned:
            raise
        base = _kept().get(f"merged:{version.id}", lambda: Base(folder_of(version)))
    try:
        return base.answer(messages, adapter=adapter, sampling=sampling, most=most, stops=stops)
    except TemplateUnsuitable as unsuitable:
        raise ConversationUnsuitable(str(unsuitable)) from None


@cache
def _kept() -> VersionCache:
    return VersionCache(settings().model_cache_mb * 2**20)
