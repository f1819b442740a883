"""A contract to sign: its fields, and beside them everything that the customer will be charged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd
import streamlit as st
from pydantic import ValidationError

from portal import format as words
from portal import session
from portal.components.instalments import instalment_table
from portal.written import decimal_of
from services import clock
from services.accounts.tables import Tenant
from services.billing import contracts
from services.billing.commitment import Commitment
from services.billing.contracts import Terms
from services.billing.money import rounded
from services.billing.period import Month
from services.billing.tables import Contract
from services.db import reading
from services.errors import ServiceError

_RIGHT = st.column_config.TextColumn(alignment="right")
# A contract begins this many months from now at the latest.
_AHEAD = 24


@dataclass(frozen=True, slots=True)
class Written:
    """What the fields say, in the words of `contracts.sign`."""

    title: str
    first: Month
    months: int
    terms: Terms


def contract_fields(tenant: Tenant, signed: Sequence[Contract], *, key: str) -> Written | None:
    """The fields, beginning behind what is signed; None, with the reason shown, where they make no terms."""
    title = st.text_input(
        "Title", "Annual contract", key=f"{key}:title", help="Its instalments are named after it."
    )
    first, second = st.columns(2)
    present = Month.of(clock.now(), tenant.time_zone)
    months_to_come = [present.plus(ahead) for ahead in range(_AHEAD + 1)]
    taken_until = max((contract.ends_on for contract in signed), default=date.min)
    free = [number for number, month in enumerate(months_to_come) if month.first > taken_until]
    begins = first.selectbox(
        "First month",
        [str(month) for month in months_to_come],
        index=free[0] if free else 0,
        format_func=lambda month: words.month(Month.parse(month).first),
        key=f"{key}:first",
    )
    months = int(second.number_input("Months", 1, 120, 12, key=f"{key}:months"))
    first, second = st.columns(2)
    fee = first.text_input(
        f"Fee, in {tenant.currency}",
        placeholder="none",
        key=f"{key}:fee",
        help="For the whole term; it comes on top of use. Empty: no fee.",
    )
    parts = int(
        second.number_input(
            "Instalments", 1, months, min(months, 12), key=f"{key}:parts", disabled=not fee.strip()
        )
    )
    first, second = st.columns(2)
    promised = first.text_input(
        f"Commitment, in {tenant.currency}",
        placeholder="none",
        key=f"{key}:promised",
        help="What the customer uses at least; what is missing is charged. Empty: none.",
    )
    factor = second.text_input(
        "Use beyond it costs, times",
        "1",
        key=f"{key}:factor",
        disabled=not promised.strip(),
        help="1 is the price of the plan, 1.2 a fifth more.",
    )
    every_month = st.segmented_control(
        "The commitment holds for",
        [True, False],
        default=True,
        format_func=lambda month: "each month" if month else "the whole term",
        required=True,
        key=f"{key}:every_month",
        disabled=not promised.strip(),
    )
    amounts = [decimal_of(written) for written in (fee.strip() or "0", promised.strip() or "0", factor)]
    if any(amount is None or amount < 0 for amount in amounts):
        st.error("One of these fields holds no amount, such as 12000.", icon=":material/error:")
        return None
    try:
        terms = Terms(
            fee=rounded(amounts[0], tenant.currency) if fee.strip() else None,  # type: ignore[arg-type]
            parts=parts if fee.strip() else 1,
            commitment=Commitment(amount=amounts[1], overage_factor=amounts[2])  # type: ignore[arg-type]
            if promised.strip()
            else None,
            every_month=bool(every_month),
        )
    except ValidationError as problem:
        st.error(problem.errors()[0]["msg"], icon=":material/error:")
        return None
    return Written(title, Month.parse(begins), months, terms)


def contract_preview(tenant: Tenant, written: Written | None) -> bool:
    """What the customer will be charged; gives whether it can be signed."""
    st.markdown("**What will be charged**")
    if written is None or (written.terms.fee is None and written.terms.commitment is None):
        st.caption("Write a fee or a commitment, and see here what it comes to.")
        return False
    try:
        with reading() as db:
            contract = contracts.drawn_up(
                db,
                session.operator(),
                tenant_id=tenant.id,
                title=written.title,
                first=written.first,
                months=written.months,
                terms=written.terms,
            )
    except ServiceError as refused:
        st.error(refused.message, icon=":material/error:")
        return False
    if written.terms.fee is not None:
        instalment_table(contract)
    if written.terms.commitment is not None:
        _commitment_table(written.terms.commitment, tenant.currency, every_month=written.terms.every_month)
    st.caption("Before tax. Coupons and credit come off, use of the plan comes on top.")
    return True


def _commitment_table(commitment: Commitment, currency: str, *, every_month: bool) -> None:
    period = "a month" if every_month else "the term"
    examples = contracts.worked(commitment, currency)
    st.dataframe(
        pd.DataFrame(
            {
                f"Use in {period}": [words.amount(used) for used, _ in examples],
                "Charged for it": [words.amount(charged) for _, charged in examples],
            }
        ),
        hide_index=True,
        column_config=dict.fromkeys((f"Use in {period}", "Charged for it"), _RIGHT),
    )


def contract_table(signed: list[Contract], currency: str) -> None:
    """The contracts of a workspace, newest first."""
    today = clock.now().date()
    rows = []
    for contract in signed:
        terms = contracts.terms_of(contract)
        promised = terms.commitment
        state = "Over" if contract.ends_on < today else "To come" if contract.starts_on > today else "Running"
        rows.append(
            {
                "Contract": contract.title,
                "State": state,
                "From": words.day(contract.starts_on),
                "To": words.day(contract.ends_on),
                "Fee": words.amount(terms.fee) if terms.fee else "none",
                "Commitment": (
                    f"{words.amount(rounded(promised.amount, currency))} "
                    f"{'a month' if terms.every_month else 'in all'}"
                    if promised
                    else "none"
                ),
                "Instalments": str(terms.parts) if terms.fee else "",
            }
        )
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config=dict.fromkeys(("Fee", "Instalments", "Commitment"), _RIGHT),
    )
