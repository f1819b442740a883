"""Messages to an address of the customer's, signed as the Standard Webhooks specification says."""

import base64
import hashlib
import hmac
import ipaddress
import json
import secrets
import socket
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from services.config import settings
from services.errors import Invalid, Unavailable

_SECONDS = 10.0
_PREFIX = "whsec_"


class UnusableWebhook(Invalid):
    """Not an address that messages are sent to."""

    code = "unusable_webhook"

    def __init__(self, url: str) -> None:
        super().__init__(
            f"No message can be sent to “{url}”. Give the https:// address of a server on the internet."
        )
        self.url = url


class WebhookUnanswered(Unavailable):
    """The customer's server did not take the message."""

    code = "webhook_unanswered"

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"The server at {url} did not take the message: {why}. It is sent again later.")
        self.url = url


def new_secret() -> str:
    """A secret that signs messages to one customer."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, *, message_id: str, at: datetime, body: str) -> str:
    """What the header `webhook-signature` says of a message."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = f"{message_id}.{int(at.timestamp())}.{body}".encode()
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def checked(url: str) -> str:
    """An address that a message may be sent to; in development also one of this machine.

    Raises:
        UnusableWebhook: no https address, or one within our own network.
    """
    split = urlsplit(url.strip())
    is_local = settings().mode == "development" and split.scheme == "http"
    if not split.hostname or not (split.scheme == "https" or is_local) or split.username:
        raise UnusableWebhook(url)
    try:
        found = socket.getaddrinfo(split.hostname, split.port or 443, proto=socket.IPPROTO_TCP)
    except OSError:
        raise UnusableWebhook(url) from None
    if settings().mode != "development" and not all(
        ipaddress.ip_address(address[4][0]).is_global for address in found
    ):
        raise UnusableWebhook(url)
    return url.strip()


def send(url: str, secret: str, *, message_id: str, at: datetime, payload: Mapping[str, Any]) -> None:
    """Post a message; the same id again is the same message, for whoever receives it twice.

    Raises:
        UnusableWebhook: the address leads into our own network by now.
        WebhookUnanswered: no answer of success came.
    """
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature(secret, message_id=message_id, at=at, body=body),
    }
    try:
        answer = httpx.post(
            checked(url), content=body.encode(), headers=headers, timeout=_SECONDS, follow_redirects=False
        )
    except httpx.HTTPError as error:
        raise WebhookUnanswered(url, str(error) or type(error).__name__) from error
    if not answer.is_success:
        raise WebhookUnanswered(url, f"status {answer.status_code}")
