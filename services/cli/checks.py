"""What must be so before a process starts."""

from services.errors import Unavailable
from services.migrations.upgrade import is_upgraded


class DatabaseNotUpgraded(Unavailable):
    """The database lacks tables that the code needs."""

    code = "database_not_upgraded"

    def __init__(self) -> None:
        super().__init__("The database is not prepared for this version. Run `tuneport db upgrade` first.")


def require_upgraded() -> None:
    """Go on only with a database that has every change.

    Raises:
        DatabaseNotUpgraded: otherwise.
    """
    if not is_upgraded():
        raise DatabaseNotUpgraded
