"""`tuneport usage import` takes a list or lines, may be repeated, and names what it refuses."""

import json
from pathlib import Path

from typer.testing import CliRunner

from services.accounts.scope import Member
from services.accounts.service import get_tenant
from services.cli.app import app
from services.db import transaction
from tests import factories
from tests.services.api.test_usage_events import event


def workspace() -> tuple[Member, str]:
    with transaction() as session:
        member = factories.create_member(session)
        return member, get_tenant(session, member).name


def test_lines_and_lists_are_taken_and_known_ones_are_counted(live_database: str, tmp_path: Path) -> None:
    _, name = workspace()
    events = [event(), event()]
    lines, listed = tmp_path / "lines.jsonl", tmp_path / "list.json"
    lines.write_text("\n".join(json.dumps(one) for one in events))
    listed.write_text(json.dumps([*events, event()]))

    first = CliRunner().invoke(app, ["usage", "import", str(lines), "--tenant", name])
    second = CliRunner().invoke(app, ["usage", "import", str(listed), "--tenant", name])

    assert (first.exit_code, first.output) == (0, "2 recorded, 0 known already, 0 refused\n")
    assert (second.exit_code, second.output) == (0, "1 recorded, 2 known already, 0 refused\n")


def test_what_is_refused_is_named_with_its_place_and_code(live_database: str, tmp_path: Path) -> None:
    _, name = workspace()
    file = tmp_path / "events.json"
    file.write_text(json.dumps([event(), event(data={"meter": "coffee"})]))

    answer = CliRunner().invoke(app, ["usage", "import", str(file), "--tenant", name])

    assert answer.exit_code == 1
    assert "event 2: " in answer.output
    assert "(unknown_meter)" in answer.output
    assert "1 recorded, 0 known already, 1 refused" in answer.output
