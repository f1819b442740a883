"""`tuneport usage import`: take over use that was measured elsewhere, or that a backup of a ledger has."""

from pathlib import Path
from typing import Annotated, Any

import typer

from services.accounts import service as accounts
from services.accounts.scope import Member, Role
from services.db import reading, transaction
from services.metering import intake
from services.metering.cloudevents import UnreadableEvents, read_events

app = typer.Typer(help="Usage.", no_args_is_help=True)
_AT_ONCE = 1_000


@app.callback()
def usage() -> None:
    """Usage."""


@app.command("import")
def import_events(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="CloudEvents: a JSON list, or one on each line."),
    ],
    tenant: Annotated[str, typer.Option(help="Name of the workspace whose use it is.")],
) -> None:
    """Record what can be and name what cannot. Exit status 0: all are recorded; 1: some were refused."""
    with reading() as session:
        owner = Member(tenant_id=accounts.tenant_by_name(session, tenant).id, role=Role.owner)
    events = _events(file)
    inserted = duplicates = refused = 0
    for start in range(0, len(events), _AT_ONCE):
        with transaction() as session:
            received = intake.receive(session, owner, batch=events[start : start + _AT_ONCE])
        inserted, duplicates = inserted + received.inserted, duplicates + received.duplicates
        for one in received.refused:
            typer.echo(f"event {start + one.position + 1}: {one.error.message} ({one.error.code})", err=True)
        refused += len(received.refused)
    typer.echo(f"{inserted:,} recorded, {duplicates:,} known already, {refused:,} refused")
    raise typer.Exit(1 if refused else 0)


def _events(file: Path) -> list[Any]:
    content = file.read_bytes()
    try:
        return read_events(content)
    except UnreadableEvents:
        return [event for row in content.splitlines() if row.strip() for event in read_events(row)]
