"""An invoice as a value: what is shown, kept and printed, without asking the database again."""

import json
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from services.billing.invoicing import Draft
from services.ledger.block import Head

# What a price says of all its lines.
_IN_COMMON = {"title", "meter", "properties", "plan", "plan_version", "price_key", "price", "tax_code"}


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Party(_Value):
    """Who sells, or who buys; `address` has a line for each line of the envelope.

    `country` is an ISO 3166 code; it, city and postcode are told apart for e-invoices and may be empty.
    """

    name: str
    address: tuple[str, ...] = ()
    tax_id: str = ""
    country: str = ""
    city: str = ""
    postcode: str = ""
    email: str = ""


class Language(StrEnum):
    """What documents can be written in (ISO 639-1)."""

    english = "en"
    german = "de"
    chinese = "zh"


class Snapshot(_Value):
    """Seller, customer, prices, lines and figures as they were on `issued_on`.

    A draft has no number and no day on which it is due. Days are those of `time_zone`, `last_day` included.
    """

    number: str | None
    issued_on: date
    due_on: date | None
    first_day: date
    last_day: date
    time_zone: str
    seller: Party
    # How to pay, a sentence or two from the operator's settings.
    payment: str
    customer: Party
    workspace: str
    plan_title: str
    language: Language = Language.english
    # Days from issue to `due_on`, and what the customer wants to read here, such as an order number.
    payment_days: int = 14
    reference: str = ""
    # The number of the invoice that this one credits; its amounts are then what comes back.
    corrects: str = ""
    # Where the ledger ended when the figures were fixed.
    ledger: Head | None = None
    draft: Draft

    @property
    def is_draft(self) -> bool:
        """Can its figures still change?"""
        return self.number is None

    def to_json(self) -> dict[str, Any]:
        """What others read: amounts as integers, rates and quantities as text."""
        return self.model_dump(mode="json")

    def to_column(self) -> dict[str, Any]:
        """What a JSON column keeps: the same, but what lines have in common once, with its place in each."""
        kept = self.model_dump(mode="json", exclude={"draft": {"lines": {"__all__": _IN_COMMON}}})
        # Lines that are rated alike share one price.
        alike: dict[tuple[object, ...], int] = {}
        common: list[dict[str, Any]] = []
        for line, written in zip(self.draft.lines, kept["draft"]["lines"], strict=True):
            of_use = line.meter, *line.properties.items()
            of_price = line.plan, line.plan_version, line.price_key, id(line.price), line.title, line.tax_code
            same = of_use + of_price
            if same not in alike:
                alike[same] = len(common)
                common.append(line.model_dump(mode="json", include=_IN_COMMON))
            written["common"] = alike[same]
        return {**kept, "common": common}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Snapshot":
        """The value that `to_json` or `to_column` was called on."""
        if "common" in kept:
            told = dict(kept)
            common = told.pop("common")
            lines = [dict(line) for line in told["draft"]["lines"]]
            for line in lines:
                line.update(common[line.pop("common")])
            kept = {**told, "draft": {**told["draft"], "lines": lines}}
        return cls.model_validate_json(json.dumps(kept))
