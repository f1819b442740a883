"""What can go wrong with plans, prices and who is on them, in a sentence each."""

from datetime import date

from services.errors import Conflict, Invalid


class UnknownPlan(Invalid):
    """Nothing is sold under this name."""

    code = "unknown_plan"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no plan “{name}”. Choose one of the plans that are sold.")
        self.name = name


class PlanExists(Conflict):
    """A new plan would be a version of another one."""

    code = "plan_exists"

    def __init__(self, title: str) -> None:
        super().__init__(
            f"There is a plan “{title}” already. Publish its next version, or choose another name."
        )
        self.title = title


class PlanBeginsTooEarly(Invalid):
    """A published price would change what was used already."""

    code = "plan_begins_too_early"

    def __init__(self, earliest: date) -> None:
        super().__init__(
            f"Use of days that have begun keeps its price. Let this version begin on {earliest} or later."
        )
        self.earliest = earliest


class PlanCurrencyFixed(Conflict):
    """A plan is sold in one currency."""

    code = "plan_currency_fixed"

    def __init__(self, currency: str) -> None:
        super().__init__(
            f"This plan is sold in {currency}. Publish one under another name for another currency."
        )
        self.currency = currency


class PlanForgetsMeter(Invalid):
    """Something that is measured would have no price."""

    code = "plan_forgets_meter"

    def __init__(self, meter: str) -> None:
        super().__init__(f"The plan says nothing about “{meter}”. Give it a price, or include it.")
        self.meter = meter


class PriceNotSteady(Invalid):
    """What is quoted before it is used must cost the same whatever was used before."""

    code = "price_not_steady"

    def __init__(self, title: str) -> None:
        super().__init__(
            f"“{title}” is quoted before a job starts, so every unit must cost the same. Use a price per "
            "unit or a package in proportion, without minimum, maximum and commitment."
        )
        self.title = title


class AlreadySubscribed(Conflict):
    """A workspace has one plan at a time."""

    code = "already_subscribed"

    def __init__(self, plan: str) -> None:
        super().__init__(f"This workspace is on the plan “{plan}” already. Change that plan instead.")
        self.plan = plan


class CurrencyDiffers(Conflict):
    """A workspace is billed in one currency."""

    code = "currency_differs"

    def __init__(self, plan: str, sold_in: str, billed_in: str) -> None:
        super().__init__(
            f"The plan “{plan}” is sold in {sold_in}, and this workspace is billed in {billed_in}. "
            "Choose a plan in its currency."
        )
        self.plan, self.sold_in, self.billed_in = plan, sold_in, billed_in


class PreviewTooOld(Conflict):
    """A preview holds for a quarter of an hour."""

    code = "preview_too_old"

    def __init__(self) -> None:
        super().__init__("This preview is no longer good. Look at a new one, and confirm that.")
