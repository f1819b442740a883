"""The fee of a contract, part by part: which invoice has billed each, and what is to come."""

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from portal import format as words
from services.billing import contracts
from services.billing.period import Month
from services.billing.tables import Contract

_WITHOUT_SCROLLING = 12


def instalment_table(
    contract: Contract, *, numbers: Mapping[Month, str] | None = None, shown: Month | None = None
) -> None:
    """The parts by the month that bills them.

    `numbers` are those of the finalised invoices by their month, `shown` is the month of the present page.
    """
    parts, signed = contracts.plan_of_payments(contract), contracts.terms_of(contract).parts
    table = {
        "Instalment": [f"{number} of {signed}" for number in range(1, len(parts) + 1)],
        "On the invoice of": [words.month(month.first) for month, _ in parts],
        "Amount": [words.amount(amount) for _, amount in parts],
    }
    if numbers is not None:
        table["State"] = [
            "This invoice" if month == shown else numbers.get(month, "To come") for month, _ in parts
        ]
    st.dataframe(
        pd.DataFrame(table),
        hide_index=True,
        # A year of months without scrolling.
        height="content" if len(parts) <= _WITHOUT_SCROLLING else "auto",
        column_config={"Amount": st.column_config.TextColumn(alignment="right")},
    )
