"""Telling people about money: thresholds of budgets, and invoices that are overdue.

What is to be told is noted first and marked once it was told, so that nobody who can be reached misses it,
and nobody is told twice unless a process dies in between.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from services import clock, mail, webhooks
from services.accounts.scope import Member, owned
from services.accounts.service import get_tenant
from services.billing import dunning
from services.billing.budgets import budget_of, note_alerts
from services.billing.money import Money
from services.billing.profiles import profile
from services.billing.tables import BudgetAlert
from services.config import settings
from services.db import reading, transaction
from services.errors import ServiceError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _News:
    alert_id: int
    threshold: int
    spent: Money
    budget: Money
    month: str
    reached_at: datetime
    workspace: str
    emails: tuple[str, ...]
    webhook: tuple[str, str] | None


def tell_of_budgets(member: Member) -> int:
    """Note and tell the thresholds that a workspace has reached; gives how many were told."""
    with transaction() as session:
        news = _news(session, member)
    told = 0
    for item in news:
        if _told(member, item):
            with transaction() as session:
                mine = owned(BudgetAlert, member).where(BudgetAlert.id == item.alert_id)
                alert = session.exec(mine).one()
                alert.sent_at = clock.now()
                session.add(alert)
            told += 1
    return told


def _news(session: Session, member: Member) -> list[_News]:
    kept = budget_of(session, member)
    if kept is None:
        return []
    tenant = get_tenant(session, member)
    webhook = (kept.webhook_url, kept.webhook_secret) if kept.webhook_url else None
    return [
        _News(
            alert_id=alert.id or 0,
            threshold=alert.threshold,
            spent=Money(alert.spent, tenant.currency),
            budget=Money(alert.amount, tenant.currency),
            month=alert.month,
            reached_at=alert.reached_at,
            workspace=tenant.name,
            emails=tuple(kept.emails),
            webhook=webhook,
        )
        for alert in note_alerts(session, member)
    ]


def _told(member: Member, news: _News) -> bool:
    sentence = (
        f"The workspace {news.workspace} has spent {news.spent} of its budget of {news.budget} for "
        f"{news.month}, which is {news.threshold} % or more."
    )
    try:
        if news.webhook is not None:
            webhooks.send(
                news.webhook[0],
                news.webhook[1],
                message_id=f"budget:{member.tenant_id}:{news.alert_id}",
                at=clock.now(),
                payload={
                    "type": "budget.threshold_reached",
                    "timestamp": news.reached_at.isoformat(),
                    "data": {
                        "workspace": member.tenant_id,
                        "month": news.month,
                        "threshold_percent": news.threshold,
                        "currency": news.budget.currency,
                        "budget": news.budget.micros,
                        "spent": news.spent.micros,
                    },
                },
            )
        if news.emails and mail.is_set_up():
            page = f"{settings().portal_url}/usage"
            mail.send(
                to=list(news.emails),
                subject=f"{news.workspace}: {news.threshold} % of the budget for {news.month}",
                text=f"{sentence}\n\nWhat it was spent on: {page}\n",
            )
    except ServiceError as error:
        log.warning("workspace %s was not told of its budget: %s", member.tenant_id, error.message)
        return False
    return True


def remind(member: Member) -> int:
    """Send the reminders of overdue invoices that are due by now; gives how many went out."""
    with reading() as session:
        to = profile(session, member).email
        letters = [
            (invoice.id, level, dunning.letter(session, member, invoice, level))
            for invoice, level in dunning.due_reminders(session, member)
        ]
    if not (to and mail.is_set_up()):
        return 0
    sent = 0
    for invoice_id, level, (subject, text) in letters:
        try:
            mail.send(to=[to], subject=subject, text=text)
        except ServiceError as error:
            log.warning("workspace %s was not reminded: %s", member.tenant_id, error.message)
            continue
        with transaction() as session:
            dunning.note_reminder(session, member, invoice_id=invoice_id, level=level)
        sent += 1
    return sent
