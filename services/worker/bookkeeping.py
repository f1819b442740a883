"""Chores of the ledger: add up, compare, seal, and count what is stored."""

import logging

from services.accounts import service as accounts
from services.accounts.scope import Member, Role
from services.db import reading, transaction
from services.ledger import sealing
from services.metering import rollups, storing
from services.metering.recording import settled
from services.metering.rollups import Difference

log = logging.getLogger(__name__)


class HoursDiffered(Exception):
    """Hours of use were not the sum of their events. They were made anew; somebody should ask why."""

    def __init__(self, found: list[Difference]) -> None:
        first = found[0]
        super().__init__(
            f"{len(found)} hours of use differed from their events and were made anew. The first: {first}"
        )
        self.found = found


def roll_up() -> None:
    """Add new events to the hours that pages and budgets read."""
    with reading() as session:
        tenants = rollups.behind(session)
    for tenant_id in tenants:
        with transaction() as session:
            until = settled(session, tenant_id)
        more = True
        while more:
            with transaction() as session:
                more = rollups.advance(session, tenant_id, until=until)


def compare() -> None:
    """Compare hours with their events, and make anew those that differ.

    Raises:
        HoursDiffered: some did, which the operator is to see.
    """
    with reading() as session:
        workspaces = accounts.all_tenants(session)
    found: list[Difference] = []
    for workspace in workspaces:
        with transaction() as session:
            found += rollups.compare(session, workspace.id)
    if found:
        raise HoursDiffered(found)


def seal() -> None:
    """Seal new events, a block in each transaction."""
    with reading() as session:
        tenants = sealing.unsealed(session)
    for tenant_id in tenants:
        with transaction() as session:
            until = settled(session, tenant_id)
        sealed = 0
        while True:
            with transaction() as session:
                head = sealing.seal(session, tenant_id, until=until, blocks=1)
            if head.blocks == sealed:
                break
            sealed = head.blocks


def count_storage() -> None:
    """Record what every workspace stored on the days that are over."""
    with reading() as session:
        workspaces = accounts.all_tenants(session)
    for workspace in workspaces:
        with transaction() as session:
            storing.store_days(session, Member(tenant_id=workspace.id, role=Role.owner))
