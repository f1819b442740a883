"""Every refusal of the API in one shape: {"error": {"message", "type", "code", "param"}}."""

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException

from services.api import refusals
from services.errors import Conflict, PaymentRequired, RateLimited, ServiceError, Unauthenticated, Unavailable

log = logging.getLogger(__name__)

_TYPES = {
    401: "authentication_error",
    402: "insufficient_quota",
    403: "permission_error",
    429: "rate_limit_error",
}
_RETRY_AFTER_SECONDS = "5"


def refuse(error: ServiceError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An expected failure, as the caller reads it."""
    kind = "server_error" if error.status >= 500 else _TYPES.get(error.status, "invalid_request_error")
    body = {
        "message": error.message,
        "type": kind,
        "code": error.code,
        "param": getattr(error, "param", None),
    }
    return JSONResponse({"error": body}, error.status, {**_advice(error), **(headers or {})})


def _advice(error: ServiceError) -> dict[str, str]:
    """What programs do about it, in headers that clients obey."""
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, RateLimited | Unavailable):
        return {"Retry-After": _RETRY_AFTER_SECONDS}
    if isinstance(error, Conflict | PaymentRequired):
        return {"x-should-retry": "false"}  # the openai client would repeat every 409
    return {}


async def expected(_request: Request, error: Exception) -> JSONResponse:
    """Render what a service refused."""
    assert isinstance(error, ServiceError)
    if error.status >= 500:
        log.warning("unavailable: %s", error.message, exc_info=error)
    return refuse(error)


async def invalid(_request: Request, error: Exception) -> JSONResponse:
    """Render what FastAPI found wrong with a request, as one sentence about its first fault."""
    assert isinstance(error, RequestValidationError)
    return refuse(refusals.from_validation(error.errors()))


async def http(request: Request, error: Exception) -> JSONResponse:
    """Render what the router or the body reader refused."""
    assert isinstance(error, HTTPException)
    return refuse(refusals.from_http(error, request.method, request.url.path), error.headers)


async def database(_request: Request, error: Exception) -> JSONResponse:
    """Render that the database is away or too busy."""
    assert isinstance(error, OperationalError)
    log.error("the database does not answer", exc_info=error)
    return refuse(refusals.DatabaseSilent())


async def unstorable(_request: Request, error: Exception) -> JSONResponse:
    """Render that a text cannot stand in the database, such as one with a NUL."""
    assert isinstance(error, DataError)
    return refuse(refusals.BadRequest("The request holds a character that cannot be kept, such as NUL."))


def unexpected(error: Exception, *, request_id: str, what: Any) -> JSONResponse:
    """Log a fault of ours under the request's id, and apologise with it."""
    log.error("request %s failed: %s", request_id, what, exc_info=error)
    return refuse(refusals.OurFault(request_id))
