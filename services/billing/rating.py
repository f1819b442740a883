"""From use to a draft invoice: a pure function of aggregated events, plans, charges, discounts and tax."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from services.billing.allocation import allocate
from services.billing.commitment import Commitment
from services.billing.coupons import Coupon, discounts
from services.billing.invoicing import (
    CONTRACT,
    BalanceUse,
    Charge,
    ChargeKind,
    CreditUse,
    Draft,
    Line,
    TaxGroup,
)
from services.billing.lines import lines_of
from services.billing.money import Money, rounded, total
from services.billing.plans import Plan, PlanPrice, in_force
from services.billing.pricing import adjustment, rate
from services.billing.spending import Credit, Owed, spend
from services.billing.taxation import Tax, TaxCode, Taxes
from services.metering.usage import Use


@dataclass(frozen=True, slots=True)
class Committed:
    """A contract's commitment: what was used `before` in its term, and whether the term ends here."""

    commitment: Commitment
    before: Money
    ends: bool


@dataclass(frozen=True, slots=True)
class Balance:
    """What is left of a credit note on an invoice that was paid already."""

    credit_note: str
    left: Money


def draft(
    uses: Iterable[Use],
    *,
    versions: Sequence[Plan],
    taxes: Taxes,
    period: tuple[date, date],
    charges: Iterable[Charge] = (),
    committed: Committed | None = None,
    coupons: Iterable[Coupon] = (),
    grants: Iterable[Credit] = (),
    balances: Iterable[Balance] = (),
    names: Mapping[str, str] | None = None,
) -> Draft:
    """The invoice that one period's use comes to; any order and any split of the uses gives the same.

    `versions` are the plans in the order in which they rate days, each from its `valid_from` on; `period` its
    first and last day; `charges` what is due beside use; `names` what lines are called by the ids of their
    subjects.

    Raises:
        NotSold: the plan has no price for something that was used.
    """
    currency = versions[-1].currency
    lines = lines_of(uses, versions, names or {})
    of_prices = _of_prices(lines, versions, period)
    due = [*of_prices, *charges]
    if committed is not None:
        used = total((*(line.amount for line in lines), *(charge.amount for charge in of_prices)), currency)
        due += of_commitment(committed, used, period)
    due += carried_over([*lines, *due], period, currency)

    items: list[Line | Charge] = [*lines, *due]
    subtotal = total((item.amount for item in items), currency)
    off = discounts(coupons, subtotal)
    discount = total((coupon.amount for coupon in off), currency)
    grants = list(grants)
    given = given_to(items, discount, grants)
    credit = total((use.amount for use in given), currency)
    groups = _tax_groups(items, discount + credit, taxes, currency)
    net = subtotal - discount - credit
    tax = total((group.tax for group in groups), currency)
    noted = _noted(balances, net + tax)
    owed = net + tax - total((use.amount for use in noted), currency)
    paid_ahead = prepaid_of(owed, period, grants)
    prepaid = total((use.amount for use in paid_ahead), currency)
    return Draft(
        plan=versions[-1].name,
        currency=currency,
        lines=lines,
        charges=tuple(due),
        discounts=off,
        credits=(*given, *paid_ahead),
        balances=noted,
        tax_groups=groups,
        subtotal=subtotal,
        discount=discount,
        credit=credit,
        net=net,
        tax=tax,
        total=net + tax,
        prepaid=prepaid,
        payable=owed - prepaid,
    )


def _of_prices(lines: Sequence[Line], versions: Sequence[Plan], period: tuple[date, date]) -> list[Charge]:
    """What prices add for the period as a whole: flat amounts at zero, minimums, maximums, commitments."""
    last_plan = in_force(versions, period[1])
    amounts: dict[tuple[str, int, str], list[Money]] = defaultdict(list)
    for line in lines:
        amounts[line.plan, line.plan_version, line.price_key].append(line.amount)
    found: list[Charge] = []
    # Once for each edition, also where it was left and taken up again.
    for plan in {plan.edition: plan for plan in versions}.values():
        for sold in plan.prices:
            own = amounts[plan.name, plan.version, sold.key]
            # A plan that was left during the period asks for these only where it was used.
            if not own and plan.edition != last_plan.edition:
                continue
            base = rounded(rate(sold.price, Decimal(0)), plan.currency)
            if base.micros:
                found.append(_of_price(ChargeKind.base, sold, plan, period, base))
            charged = total(own, plan.currency) + base
            extra = adjustment(sold.price, charged)
            if extra.micros:
                found.append(_of_price(_kind_of(sold, charged, extra), sold, plan, period, extra))
    return found


def _kind_of(sold: PlanPrice, charged: Money, extra: Money) -> ChargeKind:
    if sold.price.commitment is not None:
        return ChargeKind.true_up if sold.price.commitment.missing(charged).micros else ChargeKind.overage
    return ChargeKind.minimum if extra.micros > 0 else ChargeKind.maximum


_TITLES = {
    ChargeKind.base: "Base amount",
    ChargeKind.minimum: "Up to the minimum",
    ChargeKind.maximum: "Beyond the maximum",
    ChargeKind.true_up: "Up to the commitment",
    ChargeKind.overage: "Beyond the commitment",
    ChargeKind.carried_over: "Carried over to the next invoice",
}


def _of_price(
    kind: ChargeKind, sold: PlanPrice, plan: Plan, period: tuple[date, date], amount: Money
) -> Charge:
    return Charge(
        key=f"{kind}:{sold.key}:{plan.edition}",
        kind=kind,
        title=f"{sold.title}: {_TITLES[kind].lower()}",
        first_day=period[0],
        last_day=period[1],
        source=sold.key,
        tax_code=sold.tax_code,
        amount=amount,
    )


def of_commitment(committed: Committed, used: Money, period: tuple[date, date]) -> list[Charge]:
    """What a contract's commitment asks for beside the use of a period."""
    promise, before = committed.commitment, committed.before
    amounts = {
        ChargeKind.overage: promise.surcharge_part(before, used),
        ChargeKind.true_up: promise.missing(before + used) if committed.ends else Money.zero(used.currency),
    }
    return [
        Charge(
            key=f"{kind}:contract",
            kind=kind,
            title=_TITLES[kind],
            first_day=period[0],
            last_day=period[1],
            source=CONTRACT,
            amount=amount,
        )
        for kind, amount in amounts.items()
        if amount.micros
    ]


def carried_over(items: Sequence[Line | Charge], period: tuple[date, date], currency: str) -> list[Charge]:
    """What makes up an invoice that would be below zero; the next one begins with it."""
    return [
        Charge(
            key=f"{ChargeKind.carried_over}:{code}",
            kind=ChargeKind.carried_over,
            title=_TITLES[ChargeKind.carried_over],
            first_day=period[0],
            last_day=period[1],
            tax_code=code,
            amount=-amount,
        )
        for code, amount in sorted(_by_code(items, currency).items())
        if amount.micros < 0
    ]


def given_to(
    items: Sequence[Line | Charge], discount: Money, grants: Sequence[Credit]
) -> tuple[CreditUse, ...]:
    """What credit that nobody paid for takes off lines and charges, once a discount is off."""
    free = [grant for grant in grants if not grant.prepaid]
    if not free:
        return ()
    left = total((item.amount for item in items), discount.currency) - discount
    return spend(_after(discount, items), free, at_most=max(left, Money.zero(discount.currency)))


def prepaid_of(owed: Money, period: tuple[date, date], grants: Sequence[Credit]) -> tuple[CreditUse, ...]:
    """What credit that was paid for pays of what is owed for a period."""
    return spend([Owed(*period, owed)], (grant for grant in grants if grant.prepaid), at_most=owed)


def _by_code(items: Sequence[Line | Charge], currency: str) -> dict[TaxCode, Money]:
    amounts: dict[TaxCode, list[Money]] = defaultdict(list)
    for item in items:
        amounts[item.tax_code].append(item.amount)
    return {code: total(of_code, currency) for code, of_code in amounts.items()}


def _after(discount: Money, items: Sequence[Line | Charge]) -> list[Owed]:
    """What each item comes to once a discount is divided among those above zero."""
    shares = _divided(discount, [item.amount for item in items])
    return [
        Owed(item.first_day, item.first_day if isinstance(item, Line) else item.last_day, item.amount - share)
        for item, share in zip(items, shares, strict=True)
    ]


def _divided(allowance: Money, amounts: Sequence[Money]) -> list[Money]:
    if not allowance.micros:
        return [allowance] * len(amounts)
    return allocate(allowance, [max(amount.micros, 0) for amount in amounts])


def _tax_groups(
    items: Sequence[Line | Charge], allowance: Money, taxes: Taxes, currency: str
) -> tuple[TaxGroup, ...]:
    gross: dict[Tax, Money] = defaultdict(lambda: Money.zero(currency))
    for code, amount in _by_code(items, currency).items():
        gross[taxes[code]] += amount
    codes = {item.tax_code for item in items}
    ordered = sorted(gross, key=lambda tax: (-tax.percent, tax.category))
    shares = _divided(allowance, [gross[tax] for tax in ordered])
    return tuple(
        TaxGroup(
            category=tax.category,
            percent=tax.percent,
            note=tax.note,
            codes=tuple(sorted(code for code in codes if taxes[code] == tax)),
            gross=gross[tax],
            allowance=share,
            net=gross[tax] - share,
            tax=tax.on(gross[tax] - share),
        )
        for tax, share in zip(ordered, shares, strict=True)
    )


def _noted(balances: Iterable[Balance], owed: Money) -> tuple[BalanceUse, ...]:
    """What credit notes pay, the oldest first."""
    found = []
    for balance in sorted(balances, key=lambda balance: balance.credit_note):
        paid = min(balance.left, owed)
        owed -= paid
        if paid.micros > 0:
            found.append(BalanceUse(credit_note=balance.credit_note, amount=paid))
    return tuple(found)
