"""XML from values: elements in order, and the same bytes for the same values."""

from collections.abc import Mapping
from decimal import Decimal
from xml.etree import ElementTree

from services.billing.money import MINOR_DIGITS, Money
from services.metering.cloudevents import plain


class Element:
    """An element under construction; prefixes are those of `namespaces`, and empty text adds nothing."""

    def __init__(self, name: str, namespaces: Mapping[str, str]) -> None:
        self._namespaces = namespaces
        self._element = ElementTree.Element(self._full(name))

    def _full(self, name: str) -> str:
        prefix, _, local = name.rpartition(":")
        return f"{{{self._namespaces[prefix]}}}{local}"

    def add(self, name: str) -> "Element":
        """A new last child."""
        child = Element(name, self._namespaces)
        self._element.append(child._element)
        return child

    def text(self, name: str, text: str, **attributes: str) -> None:
        """A new last child that holds text; what XML cannot carry becomes a space."""
        if text:
            child = ElementTree.SubElement(self._element, self._full(name), attributes)
            child.text = "".join(character if character.isprintable() else " " for character in text)

    def written(self) -> bytes:
        """The document."""
        for prefix, uri in self._namespaces.items():
            ElementTree.register_namespace(prefix, uri)
        ElementTree.indent(self._element)
        made: bytes = ElementTree.tostring(self._element, encoding="utf-8", xml_declaration=True)
        return made + b"\n"


def amount(money: Money) -> str:
    """An amount as XML writes it, to the digit of its currency."""
    return f"{money.amount:.{MINOR_DIGITS[money.currency]}f}"


def decimal(number: Decimal) -> str:
    """A number as XML writes it."""
    return plain(number)
