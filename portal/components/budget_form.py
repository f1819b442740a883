"""A workspace's budget: how the month stands against it, and the form that sets it."""

from decimal import Decimal, InvalidOperation

import streamlit as st

from portal import format as words
from portal import session
from portal.components.notice import announce, complain
from services.billing import budgets
from services.billing.budgets import Standing
from services.billing.money import rounded
from services.billing.tables import Budget
from services.db import transaction
from services.errors import ServiceError


def budget_form(kept: Budget | None, now: Standing | None, currency: str) -> None:
    """The month against the budget, then its fields."""
    if now is not None and now.budget.micros:
        share = now.spent.micros / now.budget.micros
        st.progress(
            min(max(share, 0.0), 1.0),
            text=f"{words.amount(now.spent)} of {words.amount(now.budget)} spent this month, before tax",
        )
    chosen = list(kept.thresholds if kept else budgets.USUAL_THRESHOLDS)
    with st.form("budget", border=False):
        first, second = st.columns(2)
        amount = first.text_input(
            f"Budget for a month, in {currency}",
            f"{now.budget.amount.normalize():f}" if now else "",
            help="Leave it empty for no budget.",
        )
        thresholds = second.multiselect(
            "Tell us at so many percent",
            sorted({25, 50, 75, 80, 90, 100, 120, *chosen}),
            default=chosen,
        )
        hard_stop = st.toggle(
            "Stop before it is exceeded",
            value=kept.hard_stop if kept else False,
            help="A job whose highest price does not fit is refused, and predictions stop within a second.",
        )
        first, second = st.columns(2)
        emails = first.text_input("By e-mail to", ", ".join(kept.emails) if kept else "")
        webhook = second.text_input("And to the webhook", kept.webhook_url if kept else "")
        if st.form_submit_button("Save budget"):
            _save(amount, currency, sorted(thresholds), hard_stop, emails, webhook)
    if kept is not None and kept.webhook_url:
        st.caption("Messages to the webhook are signed as Standard Webhooks says, with this secret:")
        st.code(kept.webhook_secret, language=None)


def _save(
    amount: str, currency: str, thresholds: list[int], hard_stop: bool, emails: str, webhook: str
) -> None:
    member = session.member()
    try:
        with transaction() as db:
            if not amount.strip():
                budgets.clear_budget(db, member)
            else:
                budgets.set_budget(
                    db,
                    member,
                    amount=rounded(Decimal(amount.strip().replace(",", ".")), currency),
                    thresholds=thresholds,
                    hard_stop=hard_stop,
                    emails=[email.strip() for email in emails.split(",") if email.strip()],
                    webhook_url=webhook,
                )
    except InvalidOperation:
        st.error(f"“{amount}” is no amount. Write it as 250 or 250.00.", icon=":material/error:")
        return
    except ServiceError as error:
        complain(error)
    else:
        announce("The budget is saved.")
    st.rerun()
