"""What stands above an invoice's figures: who sells, who buys, and the days that count."""

import re
from datetime import timedelta

from sqlmodel import Session

from services import clock
from services.accounts.scope import Member
from services.accounts.service import get_tenant
from services.billing import profiles
from services.billing.books import Books
from services.billing.invoicing import Draft
from services.billing.period import Month
from services.billing.plans import in_force
from services.billing.snapshot import Language, Party, Snapshot
from services.config import settings
from services.ledger.block import Head
from services.metering.days import day_of


def snapshot_of(
    session: Session,
    member: Member,
    month: Month,
    figures: Draft,
    *,
    number: str | None = None,
    ledger: Head | None = None,
    books: Books | None = None,
) -> Snapshot:
    """A draft with seller, customer and dates as they are today; without a number it stays a draft.

    What is finalised says to the record what it stands on; a draft's use is sealed a minute later.
    """
    books = books or Books(session, member)
    tenant, profile = get_tenant(session, member), books.profile
    issued_on = day_of(clock.now(), tenant.time_zone)
    return Snapshot(
        number=number,
        issued_on=issued_on,
        due_on=issued_on + timedelta(days=profile.payment_days) if number else None,
        first_day=month.first,
        last_day=month.last,
        time_zone=tenant.time_zone,
        seller=seller(),
        payment=settings().seller_payment,
        customer=profiles.buyer(tenant, profile),
        workspace=tenant.name,
        plan_title=in_force(books.versions, issued_on).title,
        ledger=ledger,
        language=Language(profile.language),
        payment_days=profile.payment_days,
        reference=profile.reference,
        draft=figures,
    )


def seller() -> Party:
    """The operator of this installation as the party that an invoice comes from."""
    lines = (line.strip() for line in re.split(r"[\n;]", settings().seller_address))
    return Party(
        name=settings().seller_name,
        address=tuple(line for line in lines if line),
        tax_id=settings().seller_tax_id,
        country=settings().seller_country,
        city=settings().seller_city,
        postcode=settings().seller_postcode,
        email=settings().seller_email,
    )
