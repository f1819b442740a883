"""What a workspace wants to spend in a month, and how this month stands against it."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from services.api.deps import BillingCaller
from services.billing import budgets
from services.billing.calendars import this_month
from services.db import reading

router = APIRouter(prefix="/v1/budget", tags=["usage"])


class MonthsBudget(BaseModel):
    """Amounts are integer micro-units of `currency`; all are null where there is no budget.

    With `hard_stop`, use that would go beyond the budget is refused.
    """

    object: Literal["budget"] = "budget"
    month: str
    currency: str | None = None
    budget: int | None = None
    spent: int | None = None
    left: int | None = None
    hard_stop: bool = False


@router.get("", summary="The budget of this month")
def budget(caller: BillingCaller) -> MonthsBudget:
    """The month's spend before credit and tax, beside its budget."""
    with reading() as db:
        month, now = str(this_month(db, caller)), budgets.standing(db, caller)
    if now is None:
        return MonthsBudget(month=month)
    return MonthsBudget(
        month=month,
        currency=now.budget.currency,
        budget=now.budget.micros,
        spent=now.spent.micros,
        left=now.left.micros,
        hard_stop=now.hard_stop,
    )
