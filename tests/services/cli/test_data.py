import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli.app import app
from services.datasets.samples import SAMPLES, Sample

GOOD = "text,label\n" + "".join(f"message {number},{'ab'[number % 2]}\n" for number in range(40))
runner = CliRunner()


def written(folder: Path, content: str) -> str:
    file = folder / "data.csv"
    file.write_text(content, encoding="utf-8")
    return str(file)


def test_a_good_file_exits_with_0(tmp_path: Path) -> None:
    result = runner.invoke(app, ["data", "check", written(tmp_path, GOOD)])

    assert result.exit_code == 0
    assert "40 rows in = 40 used + 0 left out" in result.output
    assert result.output.rstrip().endswith("This file can be used.")


def test_json_has_the_counts_and_every_finding(tmp_path: Path) -> None:
    content = f"{GOOD},b\nmessage 1,b\nlooks for x@example.com,a\n"

    result = runner.invoke(app, ["data", "check", written(tmp_path, content), "--json"])

    found = json.loads(result.stdout)
    assert list(found) == ["format", "task", "rows_in", "rows_used", "dropped", "findings"]
    findings = found.pop("findings")
    assert found == {
        "format": "delimited",
        "task": "text-classification",
        "rows_in": 43,
        "rows_used": 42,
        "dropped": {"empty_text": 1},
    }
    assert {"code": "email_address", "severity": "warning", "count": 1, "rows": [44]} in findings
    assert {"code": "empty_text", "severity": "warning", "count": 1, "rows": [42]} in findings
    assert {"code": "duplicate", "severity": "note", "count": 1, "rows": [43]} in findings


def test_a_file_that_cannot_be_used_exits_with_1_and_says_all_the_same(tmp_path: Path) -> None:
    file = written(tmp_path, "text,label\n" + "x@example.com wrote this,only\n" * 20)

    shown = runner.invoke(app, ["data", "check", file])
    as_json = runner.invoke(app, ["data", "check", file, "--json"])

    assert [shown.exit_code, as_json.exit_code] == [1, 1]
    assert "Not usable yet" in shown.output
    codes = [finding["code"] for finding in json.loads(as_json.stdout)["findings"]]
    assert codes[0] == "one_class"
    assert "email_address" in codes


def test_a_file_that_cannot_be_read_is_json_too(tmp_path: Path) -> None:
    result = runner.invoke(app, ["data", "check", written(tmp_path, " \n"), "--json"])

    assert result.exit_code == 1
    assert json.loads(result.stdout) == {
        "format": None,
        "task": None,
        "rows_in": 0,
        "rows_used": 0,
        "dropped": {},
        "findings": [{"code": "empty_file", "severity": "error", "count": 1, "rows": []}],
    }


@pytest.mark.parametrize("words", [["data", "check"], ["data", "check", "/no/such/file"], ["data", "look"]])
def test_wrong_use_exits_with_2(words: list[str]) -> None:
    assert runner.invoke(app, words).exit_code == 2


def test_nothing_in_a_file_reaches_the_terminal_as_a_command(tmp_path: Path) -> None:
    content = f"{GOOD}\x1b[31mred\x07 \x1b]0;title\x07[bold]me[/bold],a\n"

    result = runner.invoke(app, ["data", "check", written(tmp_path, content)])

    assert "\x1b" not in result.output
    assert "\x07" not in result.output
    assert "[bold]me[/bold]" in result.output


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.filename)
def test_our_own_samples_can_be_used(sample: Sample, tmp_path: Path) -> None:
    file = tmp_path / sample.filename
    file.write_bytes(sample.read())

    result = runner.invoke(app, ["data", "check", str(file)])

    assert result.exit_code == 0
    assert sample.task in result.output
