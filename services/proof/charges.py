"""Checks of what is not use: fees, instalments, commitments, corrections, made again from their sources."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from services.billing import contracts
from services.billing.corrections import corrections
from services.billing.invoicing import CONTRACT, Charge, ChargeKind
from services.billing.money import EXACT, Money, total
from services.billing.period import Month
from services.billing.rating import Committed, carried_over, draft, of_commitment
from services.billing.snapshot import Snapshot
from services.billing.taxation import Tax, TaxCode
from services.billing.timeline import fees
from services.metering.usage import Use
from services.proof.fault import Fault, Wrong
from services.proof.terms import Terms

# Corrections are amounts before tax.
_UNTAXED = dict.fromkeys(TaxCode, Tax(Decimal(0), "untaxed"))


@dataclass
class LateUse:
    """The use of the months that an invoice corrects, as the ledger had it when that invoice was made."""

    terms: Terms
    _sums: dict[tuple[str, str, date, str], tuple[Decimal, int]] = field(
        default_factory=lambda: defaultdict(lambda: (Decimal(0), 0))
    )

    def add(self, event: dict[str, Any], day: date) -> None:
        """Count an event, where it is of such a month."""
        if not any(earlier.first_day <= day <= earlier.last_day for earlier in self.terms.earlier):
            return
        data = event["data"]
        place = (
            data["meter"],
            event.get("subject", ""),
            day,
            data.get("properties", {}).get("device_class", ""),
        )
        quantity, count = self._sums[place]
        self._sums[place] = EXACT.add(quantity, Decimal(data["quantity"])), count + 1

    def of(self, first: date, last: date) -> Iterator[Use]:
        """The use of the days from one to another."""
        for (meter, subject, day, device), (quantity, count) in self._sums.items():
            if first <= day <= last:
                properties = {"device_class": device} if device else {}
                yield Use(
                    meter=meter,
                    subject=subject,
                    day=day,
                    quantity=quantity,
                    events=count,
                    properties=properties,
                )


def of_charges(snapshot: Snapshot, terms: Terms, late: LateUse) -> Iterator[Fault]:
    """Charges that are not what their sources ask for, or are missing, in the order of the invoice."""
    figures, month = snapshot.draft, Month.at(snapshot.first_day)
    asked = [
        *_of_plans(snapshot, terms, month),
        *_of_contract(snapshot, terms, month),
        *_of_earlier(snapshot, terms, late),
    ]
    stated = [charge for charge in figures.charges if not _is_made_again(charge, terms)]
    period = snapshot.first_day, snapshot.last_day
    asked += carried_over([*figures.lines, *asked, *stated], period, figures.currency)
    expected = {charge.key: charge.amount for charge in asked}
    for charge in figures.charges:
        if _is_made_again(charge, terms):
            due = expected.pop(charge.key, Money.zero(figures.currency))
            if charge.amount != due:
                sentence = f"it is {charge.amount}, and what it follows from asks for {due}"
                yield Fault(Wrong.sum, f"charge {charge.key}", sentence)
    for key, due in expected.items():
        yield Fault(Wrong.sum, f"charge {key}", f"it is missing, and {due} is asked for")


def _is_made_again(charge: Charge, terms: Terms) -> bool:
    """Is all that a charge follows from in the bundle? What prices add is checked with their lines."""
    if charge.is_of_price:
        return False
    return charge.source != CONTRACT or terms.signed is None or terms.used_before is not None


def _of_plans(snapshot: Snapshot, terms: Terms, month: Month) -> list[Charge]:
    return fees([stay for stay in terms.stays if not stay.trial], terms.sold, month, snapshot.time_zone)


def _of_contract(snapshot: Snapshot, terms: Terms, month: Month) -> list[Charge]:
    contract = terms.signed
    if contract is None:
        return []
    found, promised = contracts.instalment(contract, month), contracts.terms_of(contract)
    if promised.commitment is not None and terms.used_before is not None:
        before = total((earlier.draft.of_use for earlier in terms.used_before), snapshot.draft.currency)
        ends = promised.every_month or month.last == contract.ends_on
        committed = Committed(promised.commitment, before=before, ends=ends)
        found += of_commitment(committed, snapshot.draft.of_use, (snapshot.first_day, snapshot.last_day))
    return found


def _of_earlier(snapshot: Snapshot, terms: Terms, late: LateUse) -> Iterator[Charge]:
    corrected = {charge.corrects for charge in snapshot.draft.charges if charge.kind is ChargeKind.correction}
    for earlier in terms.earlier:
        if earlier.number in corrected:
            now = draft(
                late.of(earlier.first_day, earlier.last_day),
                versions=terms.versions(snapshot.time_zone),
                taxes=_UNTAXED,
                period=(earlier.first_day, earlier.last_day),
            )
            yield from corrections(
                earlier.number,
                Month.at(earlier.first_day),
                billed=earlier.draft,
                now=now,
                made_before=terms.made_before,
            )
        for charge in earlier.draft.charges:
            key = f"{charge.key}:{earlier.number}"
            if charge.kind is ChargeKind.carried_over and key in _keys(snapshot):
                yield charge.model_copy(update={"key": key, "amount": -charge.amount})


def _keys(snapshot: Snapshot) -> set[str]:
    return {charge.key for charge in snapshot.draft.charges}
