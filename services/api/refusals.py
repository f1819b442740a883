"""What the API itself refuses, before any service is asked."""

from collections.abc import Sequence
from typing import Any

from starlette.exceptions import HTTPException

from services.errors import Invalid, NotFound, ServiceError, TooLarge, Unavailable


class BadRequest(Invalid):
    """A field of the request cannot be used; `param` names it."""

    code = "invalid_request"

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class MalformedBody(ServiceError):
    """The body is not what its content type says."""

    code = "malformed_body"
    status = 400


class NoSuchAddress(NotFound):
    """No route has this path."""

    code = "unknown_address"

    def __init__(self, path: str) -> None:
        super().__init__("address")
        self.message = f"There is nothing at {path[:200]}. The API’s addresses are described at /docs."


class WrongMethod(ServiceError):
    """The path exists, but not with this method."""

    code = "method_not_allowed"
    status = 405

    def __init__(self, method: str, path: str) -> None:
        super().__init__(f"{path[:200]} does not answer {method}. See /docs for what it does answer.")


class BodyTooLarge(TooLarge):
    """More bytes than this route reads."""

    code = "request_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The request is larger than the {limit // 2**20} MB that are read at once. Send it in parts."
        )


class DatabaseSilent(Unavailable):
    """The database is away."""

    code = "database_unavailable"

    def __init__(self) -> None:
        super().__init__(
            "The database does not answer right now. Nothing was changed; try again in a moment."
        )


class OurFault(ServiceError):
    """A bug; the caller gets a reference to name when writing to us."""

    code = "internal_error"
    status = 500

    def __init__(self, request_id: str) -> None:
        super().__init__(
            "Something went wrong on our side, and we have been told. "
            f"If it happens again, write to us with the reference {request_id}."
        )


class BodyOverLimit(HTTPException):
    """Raised while a body is read; FastAPI lets only an HTTPException out of its body reader."""

    def __init__(self, limit: int) -> None:
        super().__init__(413)
        self.limit = limit


def from_http(error: HTTPException, method: str, path: str) -> ServiceError:
    """The named refusal behind an HTTP error of the framework."""
    if isinstance(error, BodyOverLimit):
        return BodyTooLarge(error.limit)
    match error.status_code:
        case 404:
            return NoSuchAddress(path)
        case 405:
            return WrongMethod(method, path)
        case _:
            return MalformedBody(
                "The body of the request cannot be read. Check its encoding and content type."
            )


def from_validation(faults: Sequence[Any]) -> ServiceError:
    """One sentence about the first fault that a request's validation found."""
    first = faults[0]
    if first["type"] == "json_invalid":
        at, reason = first["loc"][-1], first["ctx"]["error"]
        return MalformedBody(f"The body is not valid JSON: {reason} at character {at + 1}.")
    place = [part for part in first["loc"][1:] if not _is_branch(part)]
    param = ".".join(str(part) for part in place) or None
    if param is None:
        return MalformedBody("The body must be a JSON object, sent with the content type application/json.")
    if first["type"] == "missing":
        return BadRequest(f"The field “{param}” is missing.", param=param)
    if first["type"] == "extra_forbidden":
        return BadRequest(
            f"There is no field “{param}” here. Check its spelling, or leave it out.", param=param
        )
    reason = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    return BadRequest(f"The field “{param}” cannot be used: {reason[:1].lower()}{reason[1:]}.", param=param)


def _is_branch(part: object) -> bool:
    # Pydantic names the branch of a union in the place of a fault, such as `list[str]`.
    return isinstance(part, str) and (part in {"str", "int", "float"} or "[" in part or "(" in part)
