"""What can go wrong in a way a person can act on."""


class ServiceError(Exception):
    """An expected failure: one sentence for the person, a stable code for the program.

    Subclasses are named for the fact, carry its data, and write the sentence. `status` is the HTTP status.
    """

    code = "service_error"
    status = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(ServiceError):
    """What was sent cannot be used as it is."""

    code = "invalid"
    status = 422


class Unauthenticated(ServiceError):
    """Nobody is known to be asking."""

    code = "unauthenticated"
    status = 401


class PaymentRequired(ServiceError):
    """The workspace has no money left for this."""

    code = "payment_required"
    status = 402


class Forbidden(ServiceError):
    """Known, but not allowed to do this."""

    code = "forbidden"
    status = 403


class NotFound(ServiceError):
    """There is no such thing, or it belongs to somebody else; nobody learns which."""

    code = "not_found"
    status = 404

    def __init__(self, noun: str = "item") -> None:
        super().__init__(
            f"There is no such {noun} in this workspace. Check the id, or pick one from the list."
        )


class Conflict(ServiceError):
    """Right in itself, but not in the present state."""

    code = "conflict"
    status = 409


class TooLarge(ServiceError):
    """More than is accepted at once."""

    code = "too_large"
    status = 413


class RateLimited(ServiceError):
    """Too many requests in too short a time."""

    code = "rate_limited"
    status = 429


class Unavailable(ServiceError):
    """A part of the product does not answer right now; trying again later helps."""

    code = "unavailable"
    status = 503
