"""How the portal tells the API who asks: a signed word that names a person and a workspace for a minute."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from itsdangerous import BadData, URLSafeSerializer

from services import clock
from services.accounts.scope import Member
from services.config import settings
from services.errors import Unauthenticated

LIFE = timedelta(minutes=1)


class BadToken(Unauthenticated):
    """Not signed by this installation, or too old."""

    code = "bad_token"

    def __init__(self) -> None:
        super().__init__("This request was signed too long ago, or not by us. Load the page again.")


@dataclass(frozen=True)
class Bearer:
    """Who a token speaks for; the role is read anew by whoever receives it."""

    tenant_id: str
    user_id: str


def issue(member: Member) -> str:
    """A token for a person who is signed in to the portal."""
    if member.user_id is None:
        raise ValueError("only a person's requests are signed; programs send their own key")
    until = int((clock.now() + LIFE).timestamp())
    word = _serializer().dumps({"tenant": member.tenant_id, "user": member.user_id, "until": until})
    return word.decode() if isinstance(word, bytes) else word


def read(token: str) -> Bearer:
    """Who a token speaks for.

    Raises:
        BadToken: it was not issued here, or its minute is over.
    """
    try:
        claims = _serializer().loads(token)
    except BadData:
        raise BadToken from None
    if claims["until"] < clock.now().timestamp():
        raise BadToken
    return Bearer(tenant_id=claims["tenant"], user_id=claims["user"])


def _serializer() -> URLSafeSerializer:
    secret = settings().secret_key.get_secret_value()
    return URLSafeSerializer(secret, salt="tuneport.predict", signer_kwargs={"digest_method": hashlib.sha256})
