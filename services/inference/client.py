"""The portal's way to predictions: the HTTP API that customers' programs call, so that use counts once."""

import atexit
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx
from pydantic import ValidationError

from services.accounts.scope import Member
from services.config import settings
from services.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    PaymentRequired,
    RateLimited,
    ServiceError,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from services.inference import tokens
from services.inference.predictions import Input
from services.inference.protocol import Answer

# The first call of a version fetches and loads it, and may wait for others' texts.
TIMEOUT = httpx.Timeout(60.0, connect=3.0)

_KINDS: dict[int, type[ServiceError]] = {
    kind.status: kind
    for kind in (
        Unauthenticated,
        PaymentRequired,
        Forbidden,
        NotFound,
        Conflict,
        TooLarge,
        Invalid,
        RateLimited,
        Unavailable,
    )
}


class ApiSilent(Unavailable):
    """The API does not answer, or not in its own words."""

    code = "api_unavailable"

    def __init__(self) -> None:
        super().__init__("The prediction service does not answer right now. Try again in a moment.")


def predict(member: Member, *, model: str, inputs: Sequence[Input]) -> Answer:
    """What a model (by its name, its id or a version's id) says to some inputs; priced as any API call.

    Raises:
        ServiceError: the API refused; kind, code and sentence are the API's own.
        ApiSilent: it did not answer in time.
    """
    try:
        response = _http().post(
            f"{settings().api_url.rstrip('/')}/v1/predict",
            json={"model": model, "input": [_json(one) for one in inputs]},
            headers={"Authorization": f"Bearer {tokens.issue(member)}"},
        )
    except httpx.HTTPError as reason:
        raise ApiSilent from reason
    if response.is_error:
        raise _refusal(response)
    try:
        return Answer.model_validate_json(response.content)
    except ValidationError as reason:
        raise ApiSilent from reason


@dataclass
class Spoken:
    """What a conversation's answer came to, filled while it is read."""

    text: str = ""
    tokens: int = 0


def converse(
    member: Member,
    *,
    model: str,
    messages: Sequence[Mapping[str, str]],
    temperature: float,
    untuned: bool,
    spoken: Spoken,
) -> Iterator[str]:
    """A chat model's answer, piece by piece; `spoken` is whole at the end. Priced as any API call.

    `untuned` asks the model's base, to compare.

    Raises:
        ServiceError: the API refused; kind, code and sentence are the API's own.
        ApiSilent: it did not answer in time.
    """
    request = {
        "model": model,
        "messages": list(messages),
        "temperature": temperature,
        "untuned": untuned,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    url = f"{settings().api_url.rstrip('/')}/v1/chat/completions"
    headers = {"Authorization": f"Bearer {tokens.issue(member)}"}
    try:
        with _http().stream("POST", url, json=request, headers=headers) as response:
            if response.is_error:
                response.read()
                raise _refusal(response)
            for line in response.iter_lines():
                yield from _piece(line, spoken)
    except (httpx.HTTPError, ValueError, LookupError) as reason:
        raise ApiSilent from reason


def _piece(line: str, spoken: Spoken) -> Iterator[str]:
    """The words in a line of a stream, if there are any."""
    data = line.removeprefix("data: ")
    if not data or data == "[DONE]":
        return
    event = json.loads(data)
    if "error" in event:
        broken = ServiceError(event["error"]["message"])
        broken.code = event["error"]["code"]
        raise broken
    if usage := event.get("usage"):
        spoken.tokens = usage["completion_tokens"]
    for choice in event["choices"]:
        if words := choice["delta"].get("content"):
            spoken.text += words
            yield words


def _json(asked: Input) -> str | dict[str, str]:
    return asked if isinstance(asked, str) else asked.model_dump()


@cache
def _http() -> httpx.Client:
    # One for the process: it keeps connections open, and many threads may use it.
    client = httpx.Client(timeout=TIMEOUT)
    atexit.register(client.close)
    return client


def _refusal(response: httpx.Response) -> ServiceError:
    try:
        told: dict[str, Any] = response.json()["error"]
        message, code = str(told["message"]), str(told["code"])
    except (ValueError, LookupError, TypeError):
        return ApiSilent()  # something between us and the API answered, such as a proxy
    error = _KINDS.get(response.status_code, ServiceError)(message)
    # Kinds may add to what they are given; the person reads what the API wrote.
    error.args, error.message = (message,), message
    error.code, error.status = code, response.status_code
    return error
