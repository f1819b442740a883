"""What a workspace's drafts stand on beside its use; whoever makes several looks asks for each once."""

from functools import cached_property

from sqlalchemy.orm import defer
from sqlmodel import Session, col

from services.accounts.scope import Member, owned
from services.accounts.service import get_tenant
from services.billing import catalogue, profiles
from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.period import Month
from services.billing.plans import Plan
from services.billing.snapshot import Snapshot
from services.billing.subscriptions import stays
from services.billing.tables import BillingProfile, Contract, Invoice
from services.billing.taxation import Taxes
from services.billing.timeline import Catalogue, Stay, schedule


class Books:
    """A workspace as billing sees it within one transaction: each part is read when it is first asked for."""

    def __init__(self, session: Session, member: Member) -> None:
        self._session, self._member = session, member
        self._read: dict[str, Snapshot] = {}

    @cached_property
    def zone(self) -> str:
        """Its time zone."""
        return get_tenant(self._session, self._member).time_zone

    @cached_property
    def been(self) -> list[Stay]:
        """Every plan that it was ever on, oldest first."""
        return stays(self._session, self._member)

    @cached_property
    def sold(self) -> Catalogue:
        """Those plans by name, or the first one where it was on none, their versions oldest first."""
        names = {stay.plan for stay in self.been} or {PAY_AS_YOU_GO.name}
        return {name: catalogue.versions(self._session, name) for name in names}

    @cached_property
    def versions(self) -> tuple[Plan, ...]:
        """The plans in the order in which they rate its days, each from its `valid_from` on."""
        if not self.been:
            return tuple(self.sold[PAY_AS_YOU_GO.name])
        return schedule(self.been, self.sold, self.zone)

    @cached_property
    def profile(self) -> BillingProfile:
        """How its invoices are addressed."""
        return profiles.profile(self._session, self._member)

    @cached_property
    def taxes(self) -> Taxes:
        """The rates of what is sold to it."""
        return profiles.taxes_of(self.profile)

    @cached_property
    def _contracts(self) -> list[Contract]:
        return list(self._session.exec(owned(Contract, self._member)))

    @cached_property
    def invoices(self) -> list[Invoice]:
        """Its invoices, oldest month first; what one says is read when it is asked for."""
        by_month = owned(Invoice, self._member).order_by(col(Invoice.period_start))
        return list(self._session.exec(by_month.options(defer(Invoice.snapshot))))  # type: ignore[arg-type]

    def contract_in(self, month: Month) -> Contract | None:
        """The contract whose term a month lies in."""
        running = (
            one for one in self._contracts if one.starts_on <= month.first <= month.last <= one.ends_on
        )
        return next(running, None)

    def invoice_of(self, month: Month) -> Invoice | None:
        """The invoice of a month, once it is closed."""
        return next((one for one in self.invoices if one.period_start <= month.middle < one.period_end), None)

    def says(self, invoice: Invoice) -> Snapshot:
        """What one of its invoices says."""
        if invoice.id not in self._read:
            self._read[invoice.id] = Snapshot.from_json(invoice.snapshot)
        return self._read[invoice.id]
