"""`tuneport base-models`: what jobs may start from, and an operator's own."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from services.config import settings
from services.training.bases import catalogue

app = typer.Typer(help="Base models.", no_args_is_help=True)


@app.command("list")
def list_models() -> None:
    """Every base model that jobs may start from."""
    table = Table()
    for heading in ("id", "source", "parameters", "tokens", "languages", "licence"):
        table.add_column(heading)
    for one in catalogue.entries():
        figures = (f"{one.parameters:,}", f"{one.max_length:,}")
        table.add_row(one.id, one.source, *figures, ", ".join(one.languages), one.licence)
    Console().print(table)


@app.command()
def pin(
    base_model: Annotated[str, typer.Argument(help="The id that recipes are to name it by.")],
    source: Annotated[str, typer.Argument(help="A repository of the hub, or a folder.")],
) -> None:
    """Fetch a base model, hash its weights, and add it to the file in TUNEPORT_BASE_MODELS."""
    # Imported here: it brings torch.
    from services.training.bases import pinning

    own = settings().base_models
    if own is None:
        raise typer.BadParameter("Name the file of your own base models in TUNEPORT_BASE_MODELS first.")
    entry = pinning.pin(base_model, source, own=own, cache=settings().cache_folder)
    typer.echo(f"{entry.id} is pinned at {entry.revision}, sha256 {entry.sha256}.")
    typer.echo(f"It stands in {own}; portal, api and workers read it when they start.")
