"""The way from an invoice to the page of the payment provider, on which it is paid."""

from urllib.parse import quote

from itsdangerous import BadData
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from portal import session
from portal.downloads import seal, whoever_follows
from services.billing.online import checkout
from services.db import transaction
from services.errors import NotFound, ServiceError

_KIND = "pay"
_NOT_KEPT = {"Cache-Control": "no-store"}


def pay_url(reference: str) -> str:
    """A link to pay an invoice of the chosen workspace, for the next minutes and for this browser alone."""
    link = seal(_KIND, reference, session.member().tenant_id, session.token())
    return f"/pay/{quote(reference)}?link={link}"


async def pay(request: Request) -> Response:
    """The route `/pay/{reference}`: on to the provider's page, or a sentence that says why not."""
    return await run_in_threadpool(_way, request)


def _way(request: Request) -> Response:
    reference = request.path_params["reference"]
    try:
        member = whoever_follows(request, _KIND, reference)
        page = checkout.payment_link(member, reference=reference, opened=transaction)
    except (NotFound, BadData):
        sentence = "This link leads nowhere, or no longer. Go back to the invoice and press the button again."
        return PlainTextResponse(sentence, status_code=404, headers=_NOT_KEPT)
    except ServiceError as error:
        return PlainTextResponse(error.message, status_code=error.status, headers=_NOT_KEPT)
    return RedirectResponse(page.url, status_code=303, headers=_NOT_KEPT)
