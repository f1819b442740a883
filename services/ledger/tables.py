"""The seals of the ledger."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field

from services import clock
from services.accounts.scope import TenantOwned
from services.db import UtcDateTime
from services.ledger.block import Head, Header


class SealedBlock(TenantOwned, table=True):
    """A stretch of a tenant's events under one hash, which covers the block before; never changed."""

    __tablename__ = "sealed_block"

    tenant_id: str = Field(foreign_key="tenant.id", primary_key=True)
    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    count: int
    events: int = Field(sa_type=BigInteger)
    root: str
    previous: str
    hash: str
    # The serial of its last event; its first is the one after that of the block before.
    last_serial: int = Field(sa_type=BigInteger)
    # The hash of each event (32 bytes), one after another: they tell which event is not what it was.
    leaves: bytes
    sealed_at: datetime = Field(default_factory=clock.now, sa_type=UtcDateTime)

    @property
    def header(self) -> Header:
        """What its hash covers."""
        return Header(
            tenant=self.tenant_id,
            number=self.number,
            count=self.count,
            events=self.events,
            root=self.root,
            previous=self.previous,
        )

    @property
    def head(self) -> Head:
        """The end of the ledger as of this block."""
        return Head(blocks=self.number, events=self.events, hash=self.hash)
