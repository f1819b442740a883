"""Today and this month, on a tenant's own calendar."""

from datetime import date

from sqlmodel import Session

from services import clock
from services.accounts.scope import Member
from services.accounts.service import get_tenant
from services.billing.period import Month
from services.metering.days import day_of


def today(session: Session, member: Member) -> date:
    """The present day of the tenant's calendar."""
    return day_of(clock.now(), get_tenant(session, member).time_zone)


def this_month(session: Session, member: Member) -> Month:
    """The present month of the tenant's calendar."""
    return Month.of(clock.now(), get_tenant(session, member).time_zone)
