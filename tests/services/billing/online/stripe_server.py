"""localstripe with the page of Checkout that it lacks.

`python -m tests.services.billing.online.stripe_server PORT` serves it;
`POST /_pay/{session}` is what a person does on the page, `POST /_refund/{payment_intent}` what an operator
does in Stripe's own pages. What happened is told by localstripe's signed webhooks.
"""

import sys
from typing import Any

from aiohttp import web
from localstripe import resources, server
from localstripe.webhooks import schedule_webhook


class CheckoutSession(resources.StripeObject):
    """A page on which one payment is made."""

    object = "checkout.session"
    _id_prefix = "cs_test_"

    def __init__(self, **asked: Any) -> None:
        super().__init__()
        self.url = f"https://checkout.stripe.test/{self.id}"
        self.status = "open"
        self.expires_at = int(asked.pop("expires_at"))
        self.asked = asked


_made: dict[str, CheckoutSession] = {}


async def create(request: web.Request) -> web.Response:
    asked = await server.get_post_data(request)
    key = request.headers.get("Idempotency-Key", "")
    if key not in _made:
        _made[key] = CheckoutSession(**asked)
    return server.json_response(_made[key]._export())


async def expire(request: web.Request) -> web.Response:
    page = CheckoutSession._api_retrieve(request.match_info["id"])
    if page.status != "open":
        raise resources.UserError(400, "This page is not open.")
    page.status = "expired"
    return server.json_response(page._export())


async def pay(request: web.Request) -> web.Response:
    page = CheckoutSession._api_retrieve(request.match_info["id"])
    [item] = page.asked["line_items"]
    card = resources.PaymentMethod(
        type="card", card={"number": "4242424242424242", "exp_month": "12", "exp_year": "2035", "cvc": "123"}
    )
    intent = resources.PaymentIntent._api_create(
        amount=item["price_data"]["unit_amount"],
        currency=item["price_data"]["currency"],
        metadata=page.asked["payment_intent_data"]["metadata"],
        payment_method=card.id,
        confirm=True,
    )
    page.status = "complete"
    return server.json_response(intent._export())


async def refund(request: web.Request) -> web.Response:
    intent = resources.PaymentIntent._api_retrieve(request.match_info["id"])
    asked = await server.get_post_data(request) or {}
    made = resources.Refund._api_create(payment_intent=intent.id, **asked)
    charge = intent.latest_charge
    # Stripe copies them when a charge is made.
    charge.metadata = dict(intent.metadata)
    schedule_webhook(resources.Event("charge.refunded", charge))
    return server.json_response(made._export())


if __name__ == "__main__":
    # It would keep what it has in one file of the machine.
    server.store.dump_to_disk = lambda: None
    routes = server.app.router
    routes.add_post("/v1/checkout/sessions", create)
    routes.add_post("/v1/checkout/sessions/{id}/expire", expire)
    routes.add_post("/_pay/{id}", pay)
    routes.add_post("/_refund/{id}", refund)
    web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=lambda *_: None, access_log=None)
