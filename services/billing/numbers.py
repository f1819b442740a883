"""Numbers of documents: without gaps in each series and year of the seller."""

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from services.billing.tables import NumberSeries

INVOICES, CREDIT_NOTES = "invoice", "credit_note"
_PREFIX = {INVOICES: "TP", CREDIT_NOTES: "TP-CN"}


def next_number(session: Session, series: str, year: int) -> tuple[int, str]:
    """The next number of a series and how it is written; its row stays locked until the transaction ends.

    So numbers have no gaps: who takes one either keeps it, or gives it back with everything else undone.
    """
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    counted = (
        insert(NumberSeries)
        .values(series=series, year=year, last=1)
        .on_conflict_do_update(index_elements=["series", "year"], set_={"last": col(NumberSeries.last) + 1})
        .returning(col(NumberSeries.last))
    )
    sequence: int = session.execute(counted).scalar_one()
    return sequence, f"{_PREFIX[series]}-{year}-{sequence:06d}"
