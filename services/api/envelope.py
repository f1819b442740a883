"""Around every request: an id, a bound on its body, and an answer for what nobody caught."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services import ids
from services.api import errors
from services.api.limits import body_limit
from services.api.refusals import BodyOverLimit, BodyTooLarge

REQUEST_ID_HEADER = "x-request-id"


class Envelope:
    """ASGI middleware; `request.state.request_id` is the id that the response carries."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Always ours: use is recorded under it, and a caller who chose it could pay once for two calls.
        request_id = ids.new("request")
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def stamped(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID_HEADER] = request_id
                headers.setdefault("Cache-Control", "no-store")
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        limit = body_limit(scope["method"], scope["path"])
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > limit:
            await errors.refuse(BodyTooLarge(limit))(scope, receive, stamped)
            return
        try:
            await self.app(scope, _bounded(receive, limit), stamped)
        except Exception as error:
            if started:
                raise
            what = f"{scope['method']} {scope['path']}"
            response = errors.unexpected(error, request_id=request_id, what=what)
            await response(scope, receive, stamped)


def _bounded(receive: Receive, limit: int) -> Receive:
    # A body without a length, or longer than its length said, is counted as it comes.
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        if message["type"] == "http.request":
            read += len(message.get("body", b""))
            if read > limit:
                raise BodyOverLimit(limit)
        return message

    return bounded
