"""What an operator sees of one workspace: its month, its people, its plan, and what it owes."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from services import clock
from services.accounts import operating, team
from services.accounts.scope import Member, Role, Staff
from services.accounts.tables import Tenant
from services.accounts.team import Colleague
from services.billing import agreements, sending_back, subscriptions
from services.billing import service as billing
from services.billing.agreements import Agreements
from services.billing.money import Money, by_currency
from services.billing.owing import outstanding
from services.billing.period import Month
from services.billing.plans import Plan
from services.billing.sending_back import Received
from services.billing.tables import Invoice
from services.jobs import service as jobs
from services.metering import service as metering
from services.metering.service import MeterTotal


@dataclass(frozen=True, slots=True)
class Standing:
    """A workspace at this moment; `spend` is this month's before credit and tax, `used` its use by meter."""

    tenant: Tenant
    people: list[Colleague]
    plan: Plan
    on_trial: bool
    since: datetime | None
    month: Month
    spend: Money
    used: list[MeterTotal]
    open_jobs: int
    agreed: Agreements
    payments: list[Received]
    # Newest first, each with what is still owed of it.
    invoices: list[tuple[Invoice, Money]]

    @property
    def owed(self) -> list[Money]:
        """What is owed of all invoices together, in each currency."""
        return by_currency(owed for _, owed in self.invoices if owed.micros)


def standing(session: Session, staff: Staff, *, tenant_id: str) -> Standing:
    """One workspace.

    Raises:
        NotFound: there is none.
    """
    tenant = operating.tenant_of(session, staff, tenant_id=tenant_id)
    # Asked as the workspace's own owner would ask it: one set of figures, whoever looks.
    owner = Member(tenant_id=tenant_id, role=Role.owner)
    month = Month.of(clock.now(), tenant.time_zone)
    subscribed = subscriptions.subscription(session, owner)
    return Standing(
        tenant=tenant,
        people=team.colleagues(session, owner),
        plan=subscriptions.current_plan(session, owner),
        on_trial=billing.on_trial(session, owner),
        since=subscribed.starts_at if subscribed else None,
        month=month,
        spend=billing.month_spend(session, owner, month=month),
        used=metering.totals(session, owner, first=month.first, last=month.last),
        open_jobs=len(jobs.open_jobs(session, owner)),
        agreed=agreements.agreements(session, staff, tenant_id=tenant_id),
        payments=sending_back.received(session, staff, tenant_id=tenant_id),
        invoices=[
            (invoice, outstanding(session, owner, invoice)) for invoice in billing.invoices(session, owner)
        ],
    )
