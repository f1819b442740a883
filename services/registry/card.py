"""A version's model card: what it is, what it learned from, how good it is, what it cost, and its limits."""

from dataclasses import dataclass

from services.training.bases import catalogue
from services.training.reporting.report import Report


@dataclass(frozen=True)
class Facts:
    """What a card tells besides the report; `dropped` is reason code -> rows, `cost` as people read it."""

    model: str
    version: int
    dataset: str
    dataset_version: int
    rows_in: int
    rows_used: int
    dropped: dict[str, int]
    cost: str
    # The texts that the base model got used to before, where it did.
    familiarised: str | None = None


def model_card(facts: Facts, report: Report) -> str:
    """The card as Markdown."""
    low, high = report.interval
    left_out = ", ".join(f"{count:,} {code}" for code, count in facts.dropped.items() if count) or "none"
    settings = report.recipe.hyperparameters.model_dump()
    lines = [
        f"# {facts.model}, version {facts.version}",
        "",
        f"A model for {report.task.value}, fine-tuned from {report.base_model} "
        f"({catalogue.get(report.base_model).licence}).",
        "",
        "## How good it is",
        "",
        f"{report.metric} {report.value:.4f} on {report.test_rows:,} test rows it never learned from "
        f"(95 % interval {low:.4f} to {high:.4f}).",
        "",
        "| method on the same rows | value | p |",
        "| --- | --- | --- |",
        *(
            f"| {one.name} | {one.value:.4f} | {one.against.p_value:.2g} |"
            if one.against
            else f"| {one.name} | {one.value:.4f} | |"
            for one in report.baselines
        ),
        "",
    ]
    if report.calibration:
        told = report.calibration
        lines += [
            f"Expected calibration error {told.error:.4f} (before the temperature {told.temperature:.3f}: "
            f"{told.error_before:.4f}).",
            "",
        ]
    lines += [
        "## What it learned from",
        "",
        f"{facts.dataset}, version {facts.dataset_version}, sha256 `{report.data_hash}`.",
        f"{facts.rows_in:,} rows in = {facts.rows_used:,} used + {facts.rows_in - facts.rows_used:,} left "
        f"out ({left_out}); {report.rows.train:,} train, {report.rows.validation:,} validation, "
        f"{report.rows.test:,} test.",
        *([f"Before, the base model guessed words: {facts.familiarised}."] if facts.familiarised else []),
        "",
        "## How it was made",
        "",
        f"- preset {report.recipe.preset.value}, seed {report.recipe.seed}, device {report.device}",
        "- " + ", ".join(f"{name} {value}" for name, value in settings.items()),
        "- " + ", ".join(f"{name} {version}" for name, version in report.packages.items()),
        *_ended_before(report),
        f"- cost: {facts.cost}",
        "",
        "## Limits",
        "",
        "- It knows the labels and the kind of text of its data; other text gets an answer all the same.",
        f"- Texts beyond {report.recipe.hyperparameters.max_length} sub-words are cut, or read in pieces.",
        *_weakest(report),
        "",
    ]
    return "\n".join(lines)


def _ended_before(report: Report) -> list[str]:
    if report.diverged_at_step is not None:
        return [
            f"- training diverged at step {report.diverged_at_step}; these weights are the best until then"
        ]
    if report.stopped_at_step is not None:
        return [
            f"- training was stopped at step {report.stopped_at_step}; these weights are the best until then"
        ]
    return []


def _weakest(report: Report) -> list[str]:
    weak = sorted((one for one in report.per_class if one.support), key=lambda one: one.f1)[:5]
    if not weak:
        return []
    return ["- Weakest labels: " + ", ".join(f"{one.label} (F1 {one.f1:.2f})" for one in weak) + "."]
