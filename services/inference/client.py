"""The portal's way to predictions: the HTTP API that customers' programs call, so that use counts once."""

import atexit
from collections.abc import Sequence
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
