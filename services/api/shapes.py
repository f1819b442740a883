"""What the requests and answers of several routes have in common."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, PlainSerializer
from pydantic_core import PydanticCustomError


def _encodable(text: str) -> str:
    # JSON may hold half of a surrogate pair, which neither databases nor tokenizers nor answers can carry.
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("no_character", "it holds an escape that is no character") from None
    return text


# Text as it comes in a JSON body.
Text = Annotated[str, AfterValidator(_encodable)]


def _plain(quantity: Decimal) -> str:
    return f"{quantity.normalize():f}"


# A decimal in an answer: as text, so that no figure is bent on its way, and without idle zeros.
Exact = Annotated[Decimal, PlainSerializer(_plain, return_type=str)]

Item = TypeVar("Item", bound=BaseModel)


class Listing(BaseModel, Generic[Item]):
    """A list, or a page of one; `has_more` says whether `after=<last id>` brings another."""

    object: Literal["list"] = "list"
    data: list[Item]
    has_more: bool = False


def unix(instant: datetime) -> int:
    """Seconds since 1970, as the clients of this API expect times."""
    return int(instant.timestamp())
