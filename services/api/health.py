"""Is this process fit to answer?"""

from fastapi import APIRouter
from pydantic import BaseModel
from sqlmodel import select

from services.db import reading

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """All is well."""

    status: str = "ok"
    database: str = "ok"


@router.get("/healthz", summary="Is the API up, and does it reach its database?")
def health() -> Health:
    """Ask the database for one thing; without it there is a 503."""
    with reading() as db:
        db.exec(select(1)).one()
    return Health()
