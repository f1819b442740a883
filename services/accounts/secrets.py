"""Secrets that people and programs carry: made by chance, kept as an HMAC, never stored."""

import hashlib
import hmac
import secrets
import string
import zlib

from services.config import settings

KEY_PREFIX = "tp"
_ALPHABET = string.ascii_letters + string.digits
_SECRET_LENGTH = 40  # 238 bits
_CHECKSUM_LENGTH = 6


def new_api_key() -> str:
    """A fresh API key: `tp_`, 40 characters of chance, 6 of checksum, so that a scanner can recognise one."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
    return f"{KEY_PREFIX}_{body}{_checksum(body)}"


def looks_like_api_key(text: str) -> bool:
    """Is this a key of ours, by its form and checksum? Typing mistakes then cost no query."""
    prefix, _, rest = text.partition("_")
    body, checksum = rest[:_SECRET_LENGTH], rest[_SECRET_LENGTH:]
    return prefix == KEY_PREFIX and len(body) == _SECRET_LENGTH and checksum == _checksum(body)


def new_token() -> str:
    """A fresh secret for a browser, of 256 bits."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is stored instead of a secret: its HMAC-SHA256 under the installation's key, in hexadecimal."""
    key = settings().secret_key.get_secret_value().encode()
    return hmac.new(key, secret.encode(), hashlib.sha256).hexdigest()


def _checksum(body: str) -> str:
    # CRC-32 in base 62, as other vendors' key scanners expect of a key.
    number = zlib.crc32(body.encode())
    digits = ""
    for _ in range(_CHECKSUM_LENGTH):
        number, index = divmod(number, len(_ALPHABET))
        digits += _ALPHABET[index]
    return digits
