"""Conversations with chat models, in the shape of the public `openai` client, at once or word by word."""

import json
from collections.abc import AsyncIterator
from contextlib import ExitStack
from time import perf_counter
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from starlette.responses import StreamingResponse

from services import clock, metrics
from services.accounts.scope import Member
from services.api import errors
from services.api.allowance import allowances
from services.api.deps import Caller, RequestId
from services.api.limits import MAX_ANSWER_TOKENS, MAX_MESSAGES, MAX_TEXT_CHARACTERS
from services.api.refusals import BadRequest, OurFault
from services.api.shapes import Text, unix
from services.api.threads import conversations
from services.db import reading, transaction
from services.errors import ServiceError
from services.inference import service as inference
from services.inference.writing import Writing
from services.metering import service as metering
from services.metering import usage
from services.registry import service as registry
from services.registry.tables import ModelVersion
from services.training.examples import Message
from services.training.generating import Sampling

router = APIRouter(prefix="/v1/chat/completions", tags=["chat"])

_USUAL_TOKENS = 256
# Words are passed on as they come, also by nginx.
_UNBUFFERED = {"X-Accel-Buffering": "no"}


class NothingToAnswer(BadRequest):
    """No message, or none with words in it."""

    code = "empty_input"

    def __init__(self) -> None:
        super().__init__(
            "There is no message to answer. Send at least one with some words.", param="messages"
        )


def _words(value: object) -> object:
    """A message's content: a text, or the parts that newer clients send, which must all be texts."""
    if value is None:
        return ""
    if isinstance(value, list) and all(
        isinstance(part, dict) and part.get("type") == "text" for part in value
    ):
        return "\n".join(str(part.get("text", "")) for part in value)
    if isinstance(value, str):
        return value
    raise PydanticCustomError("no_text", "it must be a text; pictures and sounds are not read")


class ChatMessage(BaseModel):
    """One turn; `name` is accepted and not read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Annotated[Text, BeforeValidator(_words)] = Field("", max_length=MAX_TEXT_CHARACTERS)
    name: str | None = None
    tool_call_id: str | None = None

    def message(self) -> Message:
        """The turn as models read it."""
        return Message("system" if self.role == "developer" else self.role, self.content.strip())


class StreamOptions(BaseModel):
    """What a stream tells besides the words."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    include_usage: bool = False


class ChatRequest(BaseModel):
    """`model` is a model's name or id (the version in production answers) or a version's id.

    Without a `temperature` the likeliest answer is given; with one, the same `seed` gives the same answer.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Text = Field(min_length=1, max_length=200, examples=["garden-advice"])
    messages: list[ChatMessage] = Field(max_length=MAX_MESSAGES)
    max_tokens: int | None = Field(None, ge=1, le=MAX_ANSWER_TOKENS)
    max_completion_tokens: int | None = Field(None, ge=1, le=MAX_ANSWER_TOKENS)
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    seed: int | None = Field(None, ge=0, lt=2**63)
    stop: str | list[str] | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: Literal[1] = 1
    user: str | None = Field(None, description="Accepted and not read.")
    untuned: bool = Field(False, description="Let the base model answer without the adapters, to compare.")

    @property
    def most(self) -> int:
        """Tokens that the answer may have."""
        return self.max_completion_tokens or self.max_tokens or _USUAL_TOKENS

    @property
    def stops(self) -> list[str]:
        """Texts before which the answer ends."""
        given = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return [stop for stop in given if stop]

    def turns(self) -> list[Message]:
        """The conversation.

        Raises:
            NothingToAnswer: there is none.
        """
        turns = [message.message() for message in self.messages]
        if not any(turn.content for turn in turns):
            raise NothingToAnswer
        return turns


class Said(BaseModel):
    """What the assistant says."""

    role: Literal["assistant"] = "assistant"
    content: str


class Choice(BaseModel):
    """The answer, and why it is over."""

    index: Literal[0] = 0
    message: Said
    finish_reason: Literal["stop", "length"]
    logprobs: None = None


class ChatUsage(BaseModel):
    """Tokens that were read, and tokens that were written; the latter are billed."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatCompletion(BaseModel):
    """An answer; `model_version` is the id of the version that gave it."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    model_version: str
    choices: list[Choice]
    usage: ChatUsage


class _Asked:
    """One request under way: credit held, answer begun, use recorded at its end, however it ends."""

    def __init__(self, caller: Member, request: ChatRequest, request_id: str) -> None:
        self.request, self.id = request, f"chatcmpl-{request_id}"
        self._caller, self._request_id = caller, request_id
        self._open = ExitStack()
        self._began = perf_counter()
        self.created = unix(clock.now())

    def begin(self) -> None:
        """Find the model, hold the credit, and start."""
        request = self.request
        turns = request.turns()
        with reading() as db:
            self.version: ModelVersion = registry.resolve(db, self._caller, name=request.model)
        self._open.enter_context(allowances.spending(self._caller, tokens=request.most))
        try:
            self.writing: Writing = inference.answer(
                self.version,
                turns,
                sampling=Sampling(
                    temperature=request.temperature or 0.0,
                    top_p=1.0 if request.top_p is None else request.top_p,
                    seed=request.seed or 0,
                ),
                most=request.most,
                stops=request.stops,
                untuned=request.untuned,
            )
        except BaseException:
            self._open.close()
            raise

    def take(self) -> str | None:
        """The next words; None once the answer is over, which is then in the books."""
        first = self.writing.tokens == 0
        try:
            words = self.writing.take()
        except BaseException:
            # Our fault: what was written is not charged.
            self._open.close()
            raise
        if first:
            metrics.first_words(seconds=perf_counter() - self._began)
        if words is None:
            self.settle()
        return words

    def settle(self) -> None:
        """Record what was written, once, and let go of the rest of the credit."""
        self.writing.leave()
        with self._open, transaction() as db:
            event = usage.generated_tokens(
                tenant_id=self._caller.tenant_id,
                request_id=self._request_id,
                model_version_id=self.version.id,
                tokens=self.writing.tokens,
                at=clock.now(),
                user_id=self._caller.user_id,
                key_id=self._caller.key_id,
            )
            recorded = metering.record(db, [event])
        if recorded.inserted:
            metrics.generated(self.writing.tokens)

    @property
    def finish(self) -> Literal["stop", "length"]:
        """Why the answer is over."""
        return self.writing.answer.finish or "stop"

    @property
    def usage(self) -> ChatUsage:
        """What the request counts for."""
        read, wrote = self.writing.prompt_tokens, self.writing.tokens
        return ChatUsage(prompt_tokens=read, completion_tokens=wrote, total_tokens=read + wrote)

    def chunk(self, *, usage: ChatUsage | None = None, finish: str | None = None, **delta: str) -> bytes:
        """A server-sent event with a part of the answer."""
        choices = [] if usage else [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}]
        body: dict[str, Any] = {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.request.model,
            "model_version": self.version.id,
            "choices": choices,
        }
        if usage:
            body["usage"] = usage.model_dump()
        return _event(body)


@router.post("", summary="Answer a conversation", response_model=ChatCompletion)
async def complete(request: ChatRequest, caller: Caller, request_id: RequestId) -> Response:
    """What a chat model answers; with `stream` as server-sent events. Tokens that it writes are billed."""
    asked = _Asked(caller, request, request_id)
    await conversations.run(asked.begin)
    if request.stream:
        return StreamingResponse(_stream(asked), media_type="text/event-stream", headers=_UNBUFFERED)

    def whole() -> Response:
        words = "".join(iter(asked.take, None))
        completion = ChatCompletion(
            id=asked.id,
            created=asked.created,
            model=request.model,
            model_version=asked.version.id,
            choices=[Choice(message=Said(content=words), finish_reason=asked.finish)],
            usage=asked.usage,
        )
        return Response(completion.model_dump_json(), media_type="application/json")

    return await conversations.run(whole)


async def _stream(asked: _Asked) -> AsyncIterator[bytes]:
    over = False
    try:
        yield asked.chunk(role="assistant", content="")
        while (words := await conversations.run(asked.take)) is not None:
            yield asked.chunk(content=words)
        over = True
        yield asked.chunk(finish=asked.finish)
        if asked.request.stream_options and asked.request.stream_options.include_usage:
            yield asked.chunk(usage=asked.usage)
        yield b"data: [DONE]\n\n"
    except ServiceError as refusal:
        over = True
        yield bytes(b"data: " + errors.refuse(refusal).body + b"\n\n")
    except Exception:  # noqa: BLE001  (the answer has begun: nobody else can tell the caller)
        over = True
        errors.log.exception("chat %s broke off", asked.id)
        yield bytes(b"data: " + errors.refuse(OurFault(asked.id)).body + b"\n\n")
    finally:
        if not over:
            # The caller has gone; what was written until then counts.
            asked.settle()


def _event(body: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
