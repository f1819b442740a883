"""Every command of `tuneport`, and how an expected failure is shown in a terminal."""

import sys

import typer

from services.cli import base_models, data, invoice, operate, serve, usage
from services.cli.demo import demo
from services.cli.finetune import finetune
from services.errors import ServiceError

app = typer.Typer(
    name="tuneport",
    help="Fine-tune small language models on your own labelled text.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.add_typer(serve.app, name="serve")
app.add_typer(data.app, name="data")
app.add_typer(invoice.app, name="invoice")
app.add_typer(usage.app, name="usage")
app.add_typer(operate.database, name="db")
app.add_typer(operate.tenant, name="tenant")
app.add_typer(operate.staff, name="staff")
app.add_typer(operate.key, name="key")
app.add_typer(base_models.app, name="base-models")
app.add_typer(operate.month, name="month")
app.command()(demo)
app.command()(finetune)


def main() -> None:
    """Run a command; an expected failure is its sentence and exit status 1."""
    try:
        app()
    except ServiceError as failure:
        typer.echo(f"{failure.message} ({failure.code})", err=True)
        sys.exit(1)
