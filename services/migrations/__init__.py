"""The database's history: one file per change, run on SQLite and Postgres alike."""

from importlib import import_module

from sqlalchemy import MetaData
from sqlmodel import SQLModel

_DOMAINS = ("accounts", "datasets", "jobs", "registry", "metering", "ledger", "billing")


def metadata() -> MetaData:
    """Every table of the product."""
    for domain in _DOMAINS:
        import_module(f"services.{domain}.tables")
    return SQLModel.metadata
