"""What an operator does from a terminal: prepare the database, open workspaces, name staff, close months."""

from typing import Annotated

import typer

from services import clock, onboarding
from services.accounts import keys
from services.accounts import service as accounts
from services.accounts.scope import Member, Role, StaffRole
from services.billing import closers
from services.billing.period import Month
from services.billing.runs import Step
from services.db import reading, transaction
from services.migrations.upgrade import upgrade

database = typer.Typer(help="The database.", no_args_is_help=True)
tenant = typer.Typer(help="Workspaces.", no_args_is_help=True)
staff = typer.Typer(help="Our own people.", no_args_is_help=True)
key = typer.Typer(help="API keys.", no_args_is_help=True)
month = typer.Typer(help="Invoicing.", no_args_is_help=True)


@database.command("upgrade")
def upgrade_database() -> None:
    """Bring the database up to date; safe to repeat."""
    upgrade()
    typer.echo("The database is up to date.")


@tenant.command("create")
def create_tenant(
    name: str,
    owner: Annotated[str, typer.Option(help="E-mail of the first owner, who joins by signing in with it.")],
) -> None:
    """Open a workspace on the free trial and keep a place for its owner."""
    with transaction() as session:
        made = onboarding.open_workspace(session, name=name, owner_email=owner)
    typer.echo(f"Workspace {name} ({made.id}) is open; {owner} owns it after signing in.")


@staff.command("grant")
def grant_staff(
    email: str, role: Annotated[StaffRole, typer.Option(help="What this person may do.")]
) -> None:
    """Make whoever signs in with this verified e-mail one of our own people."""
    with transaction() as session:
        accounts.grant_staff(session, email=email, role=role)
    typer.echo(f"{email} is staff ({role}) from the next page on.")


@key.command("create")
def create_key(
    tenant: Annotated[str, typer.Option(help="Name of the workspace.")],
    name: Annotated[str, typer.Option(help="What the key is for.")],
    tells_usage: Annotated[
        bool, typer.Option("--tells-usage", help="May it tell of use that was measured elsewhere?")
    ] = False,
) -> None:
    """Make an API key and print it alone, once."""
    with transaction() as session:
        owner = Member(tenant_id=accounts.tenant_by_name(session, tenant).id, role=Role.owner)
        _, secret = keys.create_key(session, owner, name=name, tells_usage=tells_usage)
    typer.echo(secret)


@month.command("close")
def close(
    which: Annotated[
        str, typer.Option("--month", help="YYYY-MM; left out, the last month that is over.")
    ] = "",
) -> None:
    """Finalise every workspace's invoice of a month that is over; closed already is fine."""
    with reading() as session:
        workspaces = accounts.all_tenants(session)
    # Midnight comes to each workspace in its own time zone.
    months = [
        (one, Month.parse(which) if which else Month.of(clock.now(), one.time_zone).previous)
        for one in workspaces
    ]
    for (workspace, period), ended in zip(months, closers.close_all(months), strict=True):
        match ended.step:
            case Step.waiting:
                typer.echo(f"{workspace.name}: {period} is not over, or its day of grace is not.", err=True)
            case Step.parked:
                typer.echo(f"{workspace.name} is parked: {ended.findings[0]}", err=True)
            case Step.closed:
                typer.echo(f"{ended.number}  {ended.total}  {workspace.name}")
