"""`tuneport finetune`: from a labelled file to a model in one command."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from services import finetune as pipeline
from services.training.process.events import RunEvent
from services.training.recipe import Preset
from services.training.reporting.report import ChatScores, Report

File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, TSV, JSONL or CoNLL file.")]
Out = Annotated[Path, typer.Option(file_okay=False, help="Folder for model and report; made if missing.")]
Test = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Test file; a split if left out.")
]

WEAKEST = 5


def finetune(
    file: File,
    out: Out,
    test: Test = None,
    preset: Annotated[Preset, typer.Option(help="How much work to put in.")] = Preset.quick,
    familiarise: Annotated[
        int, typer.Option(min=0, max=20, help="Passes over the texts, without labels, before.")
    ] = 0,
    search: Annotated[
        int | None,
        typer.Option(min=30, max=86_400, help="Seconds in which settings are searched for; with custom."),
    ] = None,
    base_model: Annotated[
        str | None, typer.Option(help="An id of the catalogue; the task's own if left out.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the report as JSON and nothing else.")
    ] = False,
) -> None:
    """Fine-tune on a file, right here: the same pipeline as a job, without portal or queue."""
    console = Console(stderr=True, quiet=as_json)
    columns = (TextColumn("{task.description:<11}"), BarColumn(), TextColumn("{task.fields[note]}"))
    with Progress(*columns, TimeElapsedColumn(), console=console, disable=as_json) as progress:
        bars = _Bars(progress)
        done = pipeline.finetune(
            file,
            out,
            test=test,
            preset=preset,
            familiarising_epochs=familiarise,
            search_seconds=search,
            base_model=base_model,
            tell=bars.tell,
        )
    if as_json:
        figures = done.report.model_dump(mode="json") | {done.report.metric: done.report.value}
        rows = {"rows_in": done.rows_in, "rows_used": done.rows_used, "dropped": done.dropped}
        typer.echo(json.dumps(figures | rows, ensure_ascii=False))
    else:
        _show(done.report, Console())
        typer.echo(f"{done.rows_in:,} rows in, {done.rows_used:,} used. The model is in {out / 'model'}.")


class _Bars:
    """One progress bar for each phase of the run."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[str, TaskID] = {}

    def tell(self, event: RunEvent) -> None:
        """Move the bar of the event's phase."""
        if event.phase not in self._bars:
            for bar in self._bars.values():
                self._progress.update(bar, total=1, completed=1)
            self._bars[event.phase] = self._progress.add_task(event.phase, total=None, note="")
        bar = self._bars[event.phase]
        note = event.message or "  ".join(f"{name} {value:.4g}" for name, value in event.values.items())
        self._progress.update(bar, note=note)
        if event.steps:
            self._progress.update(bar, total=event.steps, completed=event.step)


def _show(report: Report, console: Console) -> None:
    low, high = report.interval
    form = ".3f" if report.errors else ".1%"
    console.print(
        f"[bold]{report.metric} {report.value:{form}}[/bold] on {report.test_rows:,} test rows "
        f"(95 % sure between {low:{form}} and {high:{form}})"
    )
    for baseline in report.baselines:
        console.print(f"  {baseline.name}: {baseline.value:{form}}")
    if report.ranking:
        console.print(f"as a ranking: NDCG@10 {report.ranking.ndcg_at_10:.3f}, MRR {report.ranking.mrr:.3f}")
    if report.chat:
        _show_answers(report.chat, console)
    elif report.errors:
        console.print(
            f"mean absolute error {report.errors.mae:.4g}, root mean square {report.errors.rmse:.4g}, "
            f"Pearson {report.errors.pearson:.3f}, Spearman {report.errors.spearman:.3f}"
        )
    else:
        _show_labels(report, console)
    console.print("  ".join(f"{phase} {seconds:.1f} s" for phase, seconds in report.seconds.items()))


def _show_labels(report: Report, console: Console) -> None:
    weakest = Table(title=f"The {WEAKEST} weakest labels", title_justify="left")
    for heading in ("label", "precision", "recall", "F1", "test rows"):
        weakest.add_column(heading, justify="left" if heading == "label" else "right")
    for score in sorted(report.per_class, key=lambda score: score.f1)[:WEAKEST]:
        figures = (f"{figure:.2f}" for figure in (score.precision, score.recall, score.f1))
        weakest.add_row(score.label, *figures, str(score.support))
    console.print(weakest)


def _show_answers(scores: ChatScores, console: Console) -> None:
    console.print(
        f"perplexity {scores.perplexity:.2f}, of the base model {scores.base_perplexity:.2f}; "
        f"ROUGE-L {scores.rouge_l:.2f}, of the base model {scores.base_rouge_l:.2f}"
    )
    table = Table(title=f"{WEAKEST} answers, those least like the true ones first", title_justify="left")
    for heading in ("question", "true answer", "answer", "base model"):
        table.add_column(heading)
    for sample in scores.samples[:WEAKEST]:
        table.add_row(*map(escape, (sample.question, sample.truth, sample.answer, sample.base_answer)))
    console.print(table)
