"""Paying an invoice online: the page to pay on, and what the payment provider tells us."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Header, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel

from services.api.deps import BillingCaller
from services.api.invoice_files import Reference
from services.billing.online import checkout, webhook
from services.billing.online.webhook import Outcome
from services.db import transaction

router = APIRouter(tags=["invoices"])


class PaymentLink(BaseModel):
    """A page of the payment provider; `amount` is in integer micro-units of `currency`."""

    object: Literal["payment_link"] = "payment_link"
    url: str
    currency: str
    amount: int
    expires_at: datetime


class Heard(BaseModel):
    """What became of a message of the payment provider."""

    received: Literal[True] = True
    outcome: Outcome


@router.post("/v1/invoices/{reference}/payment_link", summary="A page to pay an invoice on")
def payment_link(reference: Reference, caller: BillingCaller) -> PaymentLink:
    """For whoever is to pay it; asked again within the hour, the same page."""
    made = checkout.payment_link(caller, reference=reference, opened=transaction)
    return PaymentLink(
        url=made.url, currency=made.amount.currency, amount=made.amount.micros, expires_at=made.expires_at
    )


@router.post("/v1/stripe/webhook", summary="What Stripe tells us")
async def stripe_webhook(request: Request, stripe_signature: Annotated[str, Header()] = "") -> Heard:
    """Only for Stripe, which signs what it sends: payments that came in, and money that was sent back."""
    event = webhook.verified(await request.body(), stripe_signature)
    return Heard(outcome=await run_in_threadpool(_heard, event))


def _heard(event: dict[str, object]) -> Outcome:
    with transaction() as db:
        return webhook.receive(db, event)
