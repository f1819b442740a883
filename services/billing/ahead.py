"""A month rated and looked through before its close, which then holds others up only for what is left to do.

Where one transaction writes at a time (SQLite), to rate within it would keep everybody from writing, and one
month from being rated beside another. What is rated ahead is used only where nothing that it follows from has
changed when the workspace stands still; otherwise it is rated anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from services.accounts.scope import Member
from services.billing import monitor
from services.billing.books import Books
from services.billing.drafting import Basis, basis_of, uses_of
from services.billing.invoicing import Draft
from services.billing.period import Month
from services.billing.rating import draft
from services.ledger import sealing
from services.ledger.block import Head
from services.metering.usage import Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """A month's figures and what the standing monitor finds in them, with all that they follow from.

    The events are those up to `ledger`, which is the end of what was told.
    """

    ledger: Head
    zone: str
    uses: Sequence[Use]
    basis: Basis
    draft: Draft
    findings: Sequence[str]


def rate(
    session: Session,
    member: Member,
    month: Month,
    *,
    ledger: Head,
    books: Books | None = None,
    ahead: Rated | None = None,
) -> Rated:
    """A month's figures where its ledger, sealed, ends now; `ahead` itself where that still holds."""
    books = books or Books(session, member)
    # A ledger only grows, so that one with the same end has the same events.
    if ahead is not None and (ahead.ledger, ahead.zone) != (ledger, books.zone):
        ahead = None
    uses = ahead.uses if ahead else uses_of(session, member, month)
    basis = basis_of(session, member, month, uses=uses, books=books)
    if ahead is not None and ahead.basis == basis:
        return ahead
    figures = draft(uses, **basis)
    findings = monitor.of_month(session, member, month, figures, uses)
    return Rated(ledger=ledger, zone=books.zone, uses=uses, basis=basis, draft=figures, findings=findings)


def rate_ahead(session: Session, member: Member, month: Month) -> Rated | None:
    """A month as it stands, for a close that comes next; None where something is not sealed yet.

    `session` sees the database as it was at one instant, as one that reads SQLite does.
    """
    if sealing.unsealed(session, member.tenant_id):
        return None
    return rate(session, member, month, ledger=sealing.head(session, member))
