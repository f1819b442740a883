"""How a workspace is addressed on its invoices, and which tax that makes."""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session
from stdnum.eu import vat

from services.accounts import audit
from services.accounts.scope import Member, Role, owned
from services.accounts.tables import Tenant
from services.billing.agreement_errors import BadCountry, BadVatId
from services.billing.snapshot import Language, Party
from services.billing.tables import BillingProfile
from services.billing.taxation import EU, Tax, TaxCategory, TaxCode, Taxes, taxes_between
from services.config import settings


class Address(BaseModel):
    """What a workspace says of itself; `address` has a line for each line of the envelope."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    legal_name: str = Field("", max_length=200)
    address: str = Field("", max_length=400)
    postcode: str = Field("", max_length=20)
    city: str = Field("", max_length=100)
    country: str = ""
    vat_id: str = ""
    email: str = Field("", max_length=200)
    language: Language = Language.english
    reference: str = Field("", max_length=100)


def profile(session: Session, member: Member) -> BillingProfile:
    """The workspace's profile; an empty one, not yet stored, where it has said nothing."""
    known = session.exec(owned(BillingProfile, member)).one_or_none()
    return known or BillingProfile(tenant_id=member.tenant_id)


def set_address(session: Session, member: Member, said: Address) -> BillingProfile:
    """Address the invoices to come in another way.

    Raises:
        BadVatId: its form or its check digit is wrong.
        BadCountry: no code of a country.
    """
    member.require(Role.billing)
    country = said.country.strip().upper()
    if country and not (len(country) == 2 and country.isascii() and country.isalpha()):
        raise BadCountry(said.country)
    kept = profile(session, member)
    kept.sqlmodel_update(said.model_dump(mode="json"))
    kept.country, kept.vat_id = country, checked_vat_id(said.vat_id)
    session.add(kept)
    session.flush()
    audit.record(session, member, "billing_profile.changed", member.tenant_id, country=country)
    return kept


def checked_vat_id(written: str) -> str:
    """A VAT id of a member state in its compact form; empty stays empty.

    Form and check digit are those of each country's own rules; whether it is in use is not asked of anybody.

    Raises:
        BadVatId: nobody can have this one.
    """
    if not written.strip():
        return ""
    try:
        compact: str = vat.compact(written)
        is_valid = compact[:2] in EU and vat.is_valid(compact)
    except (ValueError, LookupError, AttributeError):
        is_valid = False
    if not is_valid:
        raise BadVatId(written)
    return compact


def buyer(tenant: Tenant, kept: BillingProfile) -> Party:
    """A workspace as the party that an invoice is addressed to."""
    lines = [line.strip() for line in kept.address.splitlines()]
    place = f"{kept.postcode} {kept.city}".strip()
    return Party(
        name=kept.legal_name or tenant.name,
        address=tuple(line for line in (*lines, place) if line),
        tax_id=kept.vat_id,
        country=kept.country,
        city=kept.city,
        postcode=kept.postcode,
        email=kept.email,
    )


def taxes(session: Session, member: Member) -> Taxes:
    """The rates of what is sold to the workspace."""
    return taxes_of(profile(session, member))


def taxes_of(kept: BillingProfile) -> Taxes:
    """The rates of what is sold to whoever has this profile."""
    return taxes_between(
        own_taxes(), seller=settings().seller_country, customer=kept.country, vat_id=kept.vat_id
    )


def own_taxes() -> Taxes:
    """The rates that the operator has set, and the reason to print where one is zero."""
    rates = {
        TaxCode.standard: settings().tax_rate_percent,
        TaxCode.reduced: settings().tax_reduced_percent,
        TaxCode.zero: Decimal(0),
    }
    note = settings().tax_note
    return {
        code: Tax(percent, note)
        if percent
        else Tax(percent, note or "No VAT is charged.", TaxCategory.exempt)
        for code, percent in rates.items()
    }
