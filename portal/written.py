"""Numbers as people write them into a field."""

from decimal import Decimal, InvalidOperation


def decimal_of(written: str) -> Decimal | None:
    """The number, with a point or a comma before its decimals; None where it is none."""
    try:
        number = Decimal(written.strip().replace(",", "."))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
