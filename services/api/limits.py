"""How much one request may carry."""

from services.datasets.limits import MAX_BYTES, MAX_PART_BYTES

# Texts of one prediction request; more go in several, and meanwhile others are served.
MAX_TEXTS = 1_000
# Characters of one text. Models read far less of it; the rest would be paid in waiting.
MAX_TEXT_CHARACTERS = 20_000
# Messages of one conversation, and tokens of its answer.
MAX_MESSAGES = 200
MAX_ANSWER_TOKENS = 1_024
# Rows of one list.
MAX_PAGE = 100
# Usage events that one request tells of.
MAX_EVENTS = 1_000
# Rows of use by day in one answer.
MAX_DAYS_OF_USE = 10_000
MAX_FILES_PAGE = 10_000

UPLOAD = ("POST", "/v1/files")
_PARTS = "/v1/uploads/"
_BODY_BYTES = 8 * 2**20
# What multipart wraps around a file: boundaries, headers, the other fields.
_WRAPPING_BYTES = 2**16


def body_limit(method: str, path: str) -> int:
    """The bytes that are read of a request's body."""
    if (method, path) == UPLOAD or (method == "PATCH" and path.startswith(_PARTS)):
        return MAX_BYTES + _WRAPPING_BYTES
    if path.startswith(_PARTS) and path.endswith("/parts"):
        return MAX_PART_BYTES + _WRAPPING_BYTES
    return _BODY_BYTES
