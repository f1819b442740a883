"""Partners: who brings customers gets a share of what they pay, told in a statement by month."""

from dataclasses import dataclass
from decimal import Decimal

from sqlmodel import Session, select

from services.accounts import audit
from services.accounts.scope import Member, Role, Staff, StaffRole
from services.accounts.service import all_tenants
from services.accounts.tables import Tenant
from services.billing.agreement_errors import UnusablePartner
from services.billing.drafting import figures_of, invoice_of
from services.billing.money import EXACT, Money, rounded, total
from services.billing.notes import notes_of
from services.billing.period import Month
from services.billing.profiles import profile
from services.billing.tables import InvoiceState, Partner


@dataclass(frozen=True, slots=True)
class Share:
    """A partner's share of one invoice: of its amount before tax, less what was taken back."""

    workspace: str
    number: str
    net: Money
    share: Money


@dataclass(frozen=True, slots=True)
class Statement:
    """A partner's month; `total` sums the rounded shares of each currency."""

    partner: Partner
    month: Month
    shares: tuple[Share, ...]
    totals: tuple[Money, ...]


def add_partner(session: Session, staff: Staff, *, name: str, share_percent: Decimal) -> Partner:
    """Make a partner who gets a percentage of what brought customers pay.

    Raises:
        UnusablePartner: no name, the name of another one, or no percentage.
    """
    staff.require(StaffRole.admin)
    name = name.strip()
    if not name:
        raise UnusablePartner("it has no name")
    if not (share_percent.is_finite() and 0 <= share_percent <= 100):
        raise UnusablePartner("its share is a percentage from 0 to 100")
    if session.exec(select(Partner).where(Partner.name == name)).first() is not None:
        raise UnusablePartner(f"there is one named “{name}” already")
    made = Partner(name=name, share_percent=f"{share_percent.normalize():f}")
    session.add(made)
    session.flush()
    audit.record(session, staff, "partner.added", made.id, name=made.name)
    return made


def bring(session: Session, staff: Staff, *, tenant_id: str, partner_id: str | None) -> None:
    """Note which partner has brought a workspace; None: no partner."""
    staff.require(StaffRole.admin)
    member = Member(tenant_id=tenant_id, role=Role.owner)
    kept = profile(session, member)
    kept.partner_id = partner_id
    session.add(kept)
    session.flush()
    audit.record(session, staff, "partner.brought", tenant_id, tenant_id=tenant_id, partner=partner_id)


def partners(session: Session, staff: Staff) -> list[Partner]:
    """Every partner, by name."""
    staff.require(StaffRole.admin)
    return list(session.exec(select(Partner).order_by(Partner.name)))


def brought(session: Session, staff: Staff) -> dict[str, str]:
    """The partner of every workspace that one has brought, by the workspace's id."""
    staff.require(StaffRole.admin)
    return {
        tenant.id: partner_id
        for tenant in all_tenants(session)
        if (partner_id := profile(session, Member(tenant_id=tenant.id, role=Role.owner)).partner_id)
    }


def statement(session: Session, staff: Staff, *, partner_id: str, month: Month) -> Statement:
    """What a partner gets of a month's invoices; of void and uncollectible ones nothing."""
    staff.require(StaffRole.admin)
    partner = session.exec(select(Partner).where(Partner.id == partner_id)).one()
    shares = [
        share
        for tenant in sorted(all_tenants(session), key=lambda tenant: tenant.name)
        for share in _shares(session, tenant, partner, month)
    ]
    currencies = sorted({share.share.currency for share in shares})
    return Statement(
        partner=partner,
        month=month,
        shares=tuple(shares),
        totals=tuple(
            total((each.share for each in shares if each.share.currency == currency), currency)
            for currency in currencies
        ),
    )


def _shares(session: Session, tenant: Tenant, partner: Partner, month: Month) -> list[Share]:
    member = Member(tenant_id=tenant.id, role=Role.owner)
    if profile(session, member).partner_id != partner.id:
        return []
    invoice = invoice_of(session, member, month)
    if invoice is None or invoice.state in (InvoiceState.void, InvoiceState.uncollectible):
        return []
    back = total((note.net for note in notes_of(session, member, invoice)), invoice.currency)
    net = figures_of(invoice).net - back
    part = EXACT.multiply(Decimal(partner.share_percent), Decimal("0.01"))
    share = rounded(EXACT.multiply(net.amount, part), invoice.currency)
    return [Share(tenant.name, invoice.number, net, share)]
