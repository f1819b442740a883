"""`tuneport invoice verify`: is an invoice what its events and its prices come to? Needs no network."""

import json
from pathlib import Path
from typing import Annotated

import typer

from services.proof.bundle import NotABundle, opened
from services.proof.verify import Verdict, verify

app = typer.Typer(help="Invoices.", no_args_is_help=True)


@app.callback()
def invoice() -> None:
    """Invoices."""


@app.command("verify")
def verify_bundle(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="The bundle, from the invoice's page.")
    ],
    head: Annotated[
        str, typer.Option(help="The head printed on the invoice, to hold the bundle to it.")
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the verdict as JSON and nothing else.")
    ] = False,
) -> None:
    """Recompute every line and every seal. Exit status 0: all is right; 1: the first fault is named."""
    try:
        with opened(file) as bundle:
            verdict = verify(bundle, head=head or None)
    except NotABundle as problem:
        if not as_json:
            raise
        typer.echo(json.dumps({"right": False, "faults": [{"wrong": problem.code, "place": str(file)}]}))
        raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(_as_json(verdict)))
    else:
        _show(verdict)
    raise typer.Exit(0 if verdict.is_right else 1)


def _show(verdict: Verdict) -> None:
    typer.echo(f"Invoice {verdict.number}, {verdict.payable}")
    typer.echo(f"{verdict.events:,} events in {verdict.blocks:,} blocks, {verdict.lines:,} lines")
    for number in verdict.credit_notes:
        typer.echo(f"Credit note {number}")
    for fault in verdict.faults:
        typer.secho(f"  {fault.wrong}  {fault}", fg="red")
    if verdict.is_right:
        typer.secho("Every line, every sum and every seal is right.", fg="green")
        typer.echo(f"Compare the head with the one printed on the invoice:\n{verdict.head}")
    else:
        typer.secho(f"This invoice is not right. The first fault: {verdict.faults[0]}", fg="red", bold=True)


def _as_json(verdict: Verdict) -> dict[str, object]:
    return {
        "right": verdict.is_right,
        "number": verdict.number,
        "currency": verdict.payable.currency,
        "payable": verdict.payable.micros,
        "head": verdict.head,
        "blocks": verdict.blocks,
        "events": verdict.events,
        "lines": verdict.lines,
        "included": verdict.included,
        "credit_notes": verdict.credit_notes,
        "faults": [
            {"wrong": fault.wrong, "place": fault.place, "sentence": fault.sentence}
            for fault in verdict.faults
        ],
    }
