"""`tuneport data check` and `upload`: what is wrong with a file, before it is sent; and sending it."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import httpx
import typer
from rich.console import Console, Group
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress_bar import ProgressBar
from rich.text import Text

from services.cli.sending import send
from services.datasets.detection import KNOWN
from services.datasets.findings.amount import Meter
from services.datasets.findings.catalogue import Severity
from services.datasets.findings.finding import Excerpt, Finding
from services.datasets.findings.losses import of_problem
from services.datasets.findings.of_file import Examined, examine_file
from services.datasets.formats import Format, Layout
from services.datasets.packing import pack_splits
from services.datasets.split import Split
from services.errors import ServiceError
from services.training.recipe import Task

app = typer.Typer(help="Data files.", no_args_is_help=True)

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file, in any format we read.")]
Validation = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="A file of rows to choose the best model by.")
]
Test = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="A file of rows to judge the model by.")
]

_STYLES = {Severity.error: "bold red", Severity.warning: "yellow", Severity.note: "cyan"}
_API_SECONDS = 120
_SHOWN_ROWS, _SHOWN_EXCERPTS = 8, 2
_METER_WIDTH = 30


@app.callback()
def data() -> None:
    """Data files."""


@app.command()
def check(
    file: File,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the findings as JSON and nothing else.")
    ] = False,
    validation: Validation = None,
    test: Test = None,
    task: Annotated[Task | None, typer.Option(help="What is to be learned; guessed if not given.")] = None,
    text_column: Annotated[str | None, typer.Option(help="The column of the texts.")] = None,
    label_column: Annotated[str | None, typer.Option(help="The column of the labels.")] = None,
) -> None:
    """Say everything that is wrong with a file. Exit status 0: it can be used; 1: it cannot.

    With files for validation and test, all of them are read as one data set.
    """
    given = {"task": task, "text_column": text_column, "label_column": label_column}
    known = KNOWN.validate_python({name: value for name, value in given.items() if value is not None})
    try:
        with _together(file, validation, test) as content:
            examined = examine_file(content, **known)
    except ServiceError as problem:
        if not as_json:
            raise
        typer.echo(json.dumps(_as_json(None, None, 0, 0, {}, [of_problem(problem)])))
        raise typer.Exit(1) from None

    diagnosis, form = examined.diagnosis, examined.guess.form
    if as_json:
        dropped = {code.value: count for code, count in diagnosis.dropped.items()}
        counts = diagnosis.rows_in, diagnosis.rows_used
        typer.echo(json.dumps(_as_json(_name(form), form.task, *counts, dropped, diagnosis.findings)))
    else:
        _show(file.name, examined, Console())
    raise typer.Exit(0 if diagnosis.usable else 1)


@app.command()
def upload(
    file: File,
    key: Annotated[str, typer.Option(envvar="TUNEPORT_API_KEY", help="An API key of the workspace.")] = "",
    api: Annotated[
        str, typer.Option(envvar="TUNEPORT_API_URL", help="Where the API answers.")
    ] = "http://localhost:8000",
) -> None:
    """Upload a file in parts, going on where an earlier try stood, and print its id."""
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=api, headers=headers, timeout=_API_SECONDS) as client, _bar(file) as progress:
        file_id = send(file, client, progress=progress)
    typer.echo(file_id)


@contextmanager
def _bar(file: Path) -> Iterator[Callable[[int], None]]:
    """A bar of the bytes that have arrived, beside what programs read."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        sending = bar.add_task(_printable(file.name), total=file.stat().st_size)
        yield lambda arrived: bar.update(sending, completed=arrived)


@contextmanager
def _together(train: Path, validation: Path | None, test: Path | None) -> Iterator[Path]:
    """The file to be read: the one that was named, or an archive of those that were."""
    named = {Split.train: train, Split.validation: validation, Split.test: test}
    files = {split: (file.name, file) for split, file in named.items() if file is not None}
    if len(files) == 1:
        yield train
        return
    with TemporaryDirectory(prefix="tuneport-together-") as folder:
        packed = Path(folder) / "packed.zip"
        pack_splits(packed, files)
        yield packed


def _as_json(
    form: str | None,
    task: str | None,
    rows_in: int,
    rows_used: int,
    dropped: dict[str, int],
    findings: Sequence[Finding],
) -> dict[str, Any]:
    return {
        "format": form,
        "task": task,
        "rows_in": rows_in,
        "rows_used": rows_used,
        "dropped": dropped,
        "findings": [
            {"code": found.code, "severity": found.severity, "count": found.count, "rows": list(found.rows)}
            for found in findings
        ],
    }


def _name(form: Format) -> str:
    """The layout where it has a name of its own, else the container."""
    return form.container if form.layout in (Layout.columns, Layout.tokens) else form.layout


def _show(name: str, examined: Examined, console: Console) -> None:
    diagnosis, form = examined.diagnosis, examined.guess.form
    console.print(Text(_printable(name), "bold"))
    console.print(Text(f"Read as {_name(form)}, {form.task} ({examined.guess.confidence})."))
    console.print(Text(_printable(examined.guess.reason), "dim"))
    left_out = diagnosis.rows_in - diagnosis.rows_used
    reasons = ", ".join(f"{count:,} {code}" for code, count in diagnosis.dropped.items())
    console.print(
        Text(f"\n{diagnosis.rows_in:,} rows in = {diagnosis.rows_used:,} used + {left_out:,} left out")
        + Text(f" ({reasons})" if reasons else "", "dim")
    )
    for finding in diagnosis.findings:
        _show_finding(finding, console)
    _show_meter(diagnosis.meter, console)
    verdict = ("This file can be used.", "green") if diagnosis.usable else ("Not usable yet.", "bold red")
    console.print(Text(f"\n{verdict[0]}", verdict[1]))


def _show_finding(finding: Finding, console: Console) -> None:
    rows = f"{finding.count:,} {'row' if finding.count == 1 else 'rows'}" if finding.rows else ""
    console.print(
        Text(f"\n{finding.severity:<8}", _STYLES[finding.severity])
        + Text(f"{finding.title}  ", "bold")
        + Text("  ".join(filter(None, (rows, finding.code))), "dim")
    )
    first = ", ".join(str(row) for row in finding.rows[:_SHOWN_ROWS])
    more = ", …" if len(finding.rows) > _SHOWN_ROWS else ""
    lines = [Text(_printable(finding.detail))] if finding.detail else []
    lines += [Text(f"Rows {first}{more}", "dim")] if first else []
    lines += [_marked(shown) for shown in finding.excerpts[:_SHOWN_EXCERPTS]]
    lines += [Text(f"{finding.why} {finding.what_to_do}", "italic")]
    console.print(Padding(Group(*lines), (0, 0, 0, 8), expand=False))


def _marked(shown: Excerpt) -> Text:
    """The excerpt on one line, its spot marked."""
    number = f"{shown.row:>6,}  "
    text = Text(number, "dim") + Text(_printable(shown.text))
    text.no_wrap, text.overflow = True, "ellipsis"
    text.stylize("reverse", len(number) + shown.start, len(number) + shown.end)
    return text


def _show_meter(meter: Meter, console: Console) -> None:
    console.print(Text("\nHow much there is", "bold"))
    console.print(
        ProgressBar(total=meter.plenty, completed=min(meter.have, meter.plenty), width=_METER_WIDTH)
    )
    console.print(Text(f"\n{meter.verdict}"))


def _printable(text: str) -> str:
    """Each character that could move the cursor, colour the terminal or turn the line, as a sign."""
    return "".join(
        character if character.isprintable() else " " if character.isspace() else "�" for character in text
    )
