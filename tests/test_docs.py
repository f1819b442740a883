"""What the documents say is so: links lead somewhere, commands parse, tables are complete."""

import ast
import re
import shlex
import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
import typer
from sqlmodel import Session
from typer.core import TyperGroup

from portal.snippets import PLACEHOLDER
from services import gauges, metrics
from services.accounts.scope import Role
from services.api.limits import MAX_TEXT_CHARACTERS, MAX_TEXTS
from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.pricing import PackagePrice
from services.cli.app import app
from services.config import Settings
from services.datasets import limits
from services.datasets.dropped import DropCode
from services.metering.meters import GENERATED_TOKENS, METERS, PREDICTIONS
from services.training.bases import catalogue
from services.training.recipe import Hyperparameters
from tests.refusals import ROOT, SOURCES, job_failures, refusals

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CUSTOMERS, OPERATORS = ROOT / "docs/guide-customers.md", ROOT / "docs/guide-operators.md"
ERROR_CODES = ROOT / "docs/error-codes.md"
SECOND = Decimal(1)
HOUR = 3600 * SECOND

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")
_COMMAND = re.compile(r"(?:^|[\s(/])tuneport +((?:[^\s#|>&)]| )+)", re.MULTILINE)
_CODE = re.compile(r"^\| ((?:`\w+`(?:, )?)+) \|(?: (\d{3}) \|)?", re.MULTILINE)

by_name = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)


def prose(document: Path) -> str:
    return _FENCE.sub("", document.read_text("utf-8"))


def blocks(document: Path) -> list[tuple[str, str]]:
    """(language, content) of each fenced block, with continued lines joined."""
    return [(name, text.replace("\\\n", " ")) for name, text in _FENCE.findall(document.read_text("utf-8"))]


def links(document: Path) -> list[str]:
    found = (link or source for link, source in _LINK.findall(prose(document)))
    return [target for target in found if not target.startswith(("http://", "https://", "mailto:"))]


def anchors(document: Path) -> set[str]:
    """What GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", prose(document), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@by_name
def test_every_link_leads_somewhere(document: Path) -> None:
    for target in links(document):
        path, _, anchor = target.partition("#")
        file = document.parent / path if path else document
        if file.suffix != ".png":
            assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


@by_name
def test_every_picture_is_there(document: Path) -> None:
    missing = [target for target in links(document) if target.endswith(".png")]
    missing = [target for target in missing if not (document.parent / target).is_file()]

    assert not missing, "make screenshots"


def commands() -> list[str]:
    """Every `tuneport …` of the documents' blocks, also where Docker runs it."""
    texts = [text for document in DOCUMENTS for _, text in blocks(document)]
    texts = [re.sub(r"docker compose .*?run --rm \w+ ", "tuneport ", text) for text in texts]
    return sorted({found.strip() for text in texts for found in _COMMAND.findall(text)})


@pytest.mark.parametrize("line", commands())
def test_every_command_parses(line: str) -> None:
    words, command = shlex.split(line), typer.main.get_command(app)
    while isinstance(command, TyperGroup):
        name, *words = words
        if name == "--help":
            return
        assert name in command.commands, name
        command = command.commands[name]

    context = command.context_class(command)
    given, left, _ = command.make_parser(context).parse_args(words)

    assert not left, "more words than arguments"
    for parameter in command.params:
        # The files of an example are not there to be found.
        if parameter.type_descriptor.annotation is not Path:
            parameter.process_value(context, given.get(parameter.name))
        assert not parameter.required or given.get(parameter.name) is not None, parameter.name


def test_every_picture_is_shown_somewhere() -> None:
    shown = {(document.parent / target).resolve() for document in DOCUMENTS for target in links(document)}

    assert [file.name for file in (ROOT / "docs").rglob("*.png") if file not in shown] == []


def test_every_make_target_exists() -> None:
    known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        target
        for document in DOCUMENTS
        for _, text in blocks(document)
        for target in re.findall(r"^make ([a-z]+)", text, re.MULTILINE)
    }

    assert named
    assert named <= known


@by_name
def test_every_python_block_is_python(document: Path) -> None:
    for language, text in blocks(document):
        if language == "python":
            ast.parse(text)


def test_settings_and_documents_name_the_same_variables() -> None:
    settings = {f"TUNEPORT_{field.upper()}" for field in Settings.model_fields}
    others = [ROOT / "deploy/.env.example", ROOT / "deploy/compose.yaml", ROOT / "Dockerfile"]
    named = {
        name
        for file in [*DOCUMENTS, *others]
        for name in re.findall(r"\bTUNEPORT_[A-Z_]+\b", file.read_text("utf-8"))
    }
    documented = set(re.findall(r"^\| `(TUNEPORT_[A-Z_]+)` \|", OPERATORS.read_text("utf-8"), re.MULTILINE))

    # The customer's own variable, which the snippets read, and those of the tests.
    others_own = {PLACEHOLDER.removeprefix("$"), "TUNEPORT_FAULT_ROUNDS", "TUNEPORT_FAULT_SECONDS"}
    assert named - others_own <= settings
    assert documented == settings


def documented_codes(document: Path) -> dict[str, set[int]]:
    """Code -> the statuses that its rows name."""
    found: dict[str, set[int]] = {}
    for names, status in _CODE.findall(document.read_text("utf-8")):
        for code in re.findall(r"\w+", names):
            found.setdefault(code, set()).update([int(status)] if status else [])
    return found


def test_every_refusal_is_documented_with_its_status() -> None:
    for_customers = documented_codes(ERROR_CODES)
    operators_only = documented_codes(OPERATORS)

    for refusal in refusals():
        assert refusal.code in for_customers | operators_only, refusal
    for code, statuses in for_customers.items():
        assert statuses <= {refusal.status for refusal in refusals() if refusal.code == code}, code
    assert job_failures() <= for_customers.keys()


def test_no_code_is_documented_that_the_product_does_not_use() -> None:
    constants = {
        node.value
        for file in SOURCES
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant)
    }

    assert documented_codes(ERROR_CODES).keys() <= constants


def test_the_customers_guide_names_every_reason_meter_role_setting_and_base_model() -> None:
    guide = CUSTOMERS.read_text("utf-8")

    for code in DropCode:
        assert f"| `{code}` | {code.sentence} |" in guide
    for word in [*METERS, *Hyperparameters.model_fields, *catalogue.ids()]:
        assert f"`{word}`" in guide
    for role in Role:
        assert f"| {role} |" in guide


def test_the_customers_guide_names_the_prices_of_the_plan() -> None:
    guide = CUSTOMERS.read_text("utf-8")

    for sold in PAY_AS_YOU_GO.prices:
        if isinstance(sold.price, PackagePrice):
            unit = {PREDICTIONS.name: "texts", GENERATED_TOKENS.name: "generated tokens"}[sold.meter]
            assert f"€{sold.price.amount:.2f} per {sold.price.size:,} {unit}" in guide
        else:
            assert (
                f"€{sold.price.amount.normalize():f} a second (€{sold.price.amount * HOUR:.2f} an hour)"
                in guide
            )
    trial = PAY_AS_YOU_GO.trial
    assert f"€{trial.credit.amount:.2f} of trial credit, valid for {trial.valid.days} days" in guide


def test_the_customers_guide_names_the_limits() -> None:
    guide = " ".join(CUSTOMERS.read_text("utf-8").split())
    files = f"up to {limits.MAX_BYTES // 2**20} MB, {limits.MAX_ROWS:,} rows, {limits.MAX_COLUMNS} columns"

    assert f"{files} and {limits.MAX_LABELS:,} different labels" in guide
    assert f"up to {MAX_TEXTS:,} texts of up to {MAX_TEXT_CHARACTERS:,} characters" in guide


def test_the_operators_guide_names_every_metric(session: Session) -> None:
    text = (metrics.text() + gauges.text(session)).decode()
    names = set(re.findall(r"^# TYPE (tuneport_\w+)", text, re.MULTILINE))

    documented = set(re.findall(r"^\| `(tuneport_\w+)` \|", OPERATORS.read_text("utf-8"), re.MULTILINE))

    assert documented == names


def test_every_dependency_earns_its_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    needed = {re.split(r"[\[=<>]", name)[0] for group in groups for name in group} - {project["name"]}
    page = (ROOT / "docs/decisions/0002-dependencies.md").read_text("utf-8")

    assert set(re.findall(r"^\|(?: `\w+` \|)? `([\w-]+)` \|", page, re.MULTILINE)) == needed
