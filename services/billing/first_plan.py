"""The plan that every installation begins with; its later versions are published on the page for prices."""

from datetime import date, timedelta
from decimal import Decimal

from services.billing.money import MICROS, Money
from services.billing.plans import Limits, LinePer, Plan, PlanPrice, Trial
from services.billing.pricing import Begun, PackagePrice, UnitPrice
from services.metering.meters import (
    GENERATED_TOKENS,
    PREDICTIONS,
    STORED_GB_HOURS,
    TRAINED_TOKENS,
    TRAINING_SECONDS,
)

_TRAINING_CPU = PlanPrice(
    key="training.cpu",
    title="Training on CPU",
    meter=TRAINING_SECONDS.name,
    where={"device_class": "cpu"},
    price=UnitPrice(amount=Decimal("0.001")),  # 3.60 an hour
    line_per=LinePer.subject,
)
_TRAINING_CUDA = PlanPrice(
    key="training.cuda",
    title="Training on GPU",
    meter=TRAINING_SECONDS.name,
    where={"device_class": "cuda"},
    price=UnitPrice(amount=Decimal("0.002")),  # 7.20 an hour
    line_per=LinePer.subject,
)
_PREDICTIONS = PlanPrice(
    key="predictions",
    title="Predictions",
    meter=PREDICTIONS.name,
    where={},
    price=PackagePrice(amount=Decimal("0.20"), size=1000, begun=Begun.in_proportion),
    line_per=LinePer.day_and_subject,
)
_GENERATED_TOKENS = PlanPrice(
    key="generated_tokens",
    title="Generated tokens",
    meter=GENERATED_TOKENS.name,
    where={},
    price=PackagePrice(amount=Decimal("2.00"), size=1_000_000, begun=Begun.in_proportion),
    line_per=LinePer.day_and_subject,
)

PAY_AS_YOU_GO = Plan(
    name="pay-as-you-go",
    title="Pay as you go",
    version=1,
    valid_from=date(2026, 1, 1),
    currency="EUR",
    prices=(_TRAINING_CPU, _TRAINING_CUDA, _PREDICTIONS, _GENERATED_TOKENS),
    included=frozenset({TRAINED_TOKENS.name, STORED_GB_HOURS.name}),
    limits=Limits(running_jobs=4, open_jobs=50, runtime=timedelta(hours=12), share_weight=2),
    trial=Trial(
        credit=Money(10 * MICROS, "EUR"),
        valid=timedelta(days=30),
        limits=Limits(running_jobs=2, open_jobs=20, runtime=timedelta(hours=6), share_weight=1),
    ),
)
