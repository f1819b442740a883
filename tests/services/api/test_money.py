"""Programs see what was used and what is owed, to the micro-unit."""

from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from services import clock, ids
from services.billing import budgets
from services.billing import service as billing
from services.billing.calendars import this_month
from services.billing.money import Money
from services.db import reading, transaction
from services.documents.pdf import pdf
from services.metering import service as metering
from services.metering import usage
from services.proof.bundle import opened
from services.proof.verify import verify
from tests.services.api.conftest import Workspace, on_both_databases, refused
from tests.services.world import World, create_world


def predicted(workspace: Workspace, *, texts: int, version: str, at: datetime) -> None:
    event = usage.predictions(
        tenant_id=workspace.member.tenant_id,
        request_id=ids.new("request"),
        model_version_id=version,
        texts=texts,
        at=at,
        key_id=workspace.key_id,
    )
    with transaction() as db:
        metering.record(db, [event])


@on_both_databases
def test_usage_is_told_by_day_and_in_all(workspace: Workspace) -> None:
    days = [datetime(2026, 11, day, 12, tzinfo=UTC) for day in (3, 4)]
    predicted(workspace, texts=5, version="mv_1", at=days[0])
    predicted(workspace, texts=2, version="mv_1", at=days[1])
    predicted(workspace, texts=1, version="mv_2", at=days[1])
    asked = {"start": "2026-11-01", "end": "2026-11-30"}

    by_meter = workspace.call("GET", "/v1/usage", params=asked).json()
    by_model = workspace.call("GET", "/v1/usage", params={**asked, "group_by": "model"}).json()
    by_key = workspace.call("GET", "/v1/usage", params={**asked, "group_by": "key"}).json()

    assert [(use["day"], use["by"], use["quantity"], use["events"]) for use in by_meter["data"]] == [
        ("2026-11-03", None, "5", 1),
        ("2026-11-04", None, "3", 2),
    ]
    assert by_meter["totals"] == [{"meter": "predictions", "quantity": "8", "events": 3}]
    assert {(use["day"], use["by"], use["quantity"]) for use in by_model["data"]} == {
        ("2026-11-03", "mv_1", "5"),
        ("2026-11-04", "mv_1", "2"),
        ("2026-11-04", "mv_2", "1"),
    }
    assert {use["by"] for use in by_key["data"]} == {workspace.key_id}


def test_usage_is_told_of_this_month_unless_asked_otherwise(workspace: Workspace) -> None:
    predicted(workspace, texts=5, version="mv_1", at=clock.now())

    told = workspace.call("GET", "/v1/usage").json()

    today = clock.now().date()
    assert told["start"] == str(today.replace(day=1))
    assert told["end"] == str(today)
    assert told["totals"][0]["quantity"] == "5"
    # An end before this month: the first day is not after it.
    assert workspace.call("GET", "/v1/usage", params={"end": "2026-01-05"}).json()["start"] == "2026-01-05"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"start": "2026-11-30", "end": "2026-11-01"}, "unusable_days"),
        ({"start": "2020-01-01", "end": "2026-01-01"}, "unusable_days"),
        ({"group_by": "weather"}, "invalid_request"),
        ({"start": "soon"}, "invalid_request"),
    ],
)
def test_days_that_cannot_be_asked_about(workspace: Workspace, asked: dict[str, str], code: str) -> None:
    refused(workspace.call("GET", "/v1/usage", params=asked), 422, code)


@pytest.fixture
def world(http: TestClient, tmp_path: Path) -> World:
    with transaction() as db:
        return create_world(db, tmp_path / "files")


@pytest.fixture
def theirs(http: TestClient, world: World) -> Workspace:
    return Workspace(http=http, member=world.member, key_id=world.names.key_id, secret=world.secret)


@on_both_databases
def test_the_list_holds_the_draft_and_what_is_closed(theirs: Workspace, world: World) -> None:
    draft, closed = theirs.call("GET", "/v1/invoices").json()["data"]

    with reading() as db:
        month = this_month(db, world.member)
    assert (draft["id"], draft["status"], draft["number"]) == (str(month), "draft", None)
    assert closed["id"] == closed["number"] == world.names.invoice_number
    assert closed["status"] in {"open", "paid"}
    # 10,000 predictions at 0.20 per 1,000, which the trial's 10.00 covers.
    assert (closed["subtotal"], closed["credit"], closed["total"]) == (2_000_000, 0, 2_000_000)
    assert closed["currency"] == "EUR"


@on_both_databases
def test_an_invoice_is_found_by_number_id_and_month_and_its_lines_add_up(
    theirs: Workspace, world: World
) -> None:
    by_number, by_id, by_month = (
        theirs.call("GET", f"/v1/invoices/{reference}").json()
        for reference in (world.names.invoice_number, world.names.invoice_id, str(world.month))
    )

    assert by_number == by_id == by_month
    assert by_number["lines"][0]["key"] == world.names.line_key
    assert by_number["lines"][0]["subject"] == world.names.model_version_id
    assert Decimal(by_number["lines"][0]["quantity"]) == 10_000
    assert sum(line["amount"] for line in by_number["lines"]) == by_number["subtotal"]
    assert by_number["subtotal"] - by_number["credit"] + by_number["tax"] == by_number["total"]


def test_the_document_is_the_one_of_the_statement(theirs: Workspace, world: World) -> None:
    answer = theirs.call("GET", f"/v1/invoices/{world.names.invoice_number}.pdf")

    with reading() as db:
        expected = pdf(billing.statement(db, world.member, reference=world.names.invoice_number))
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == f'attachment; filename="{world.names.invoice_number}.pdf"'
    assert answer.content == expected

    draft = theirs.call(
        "GET", "/v1/invoices/2026-10.pdf" if world.month.month != 10 else "/v1/invoices/2026-09.pdf"
    )
    assert draft.content.startswith(b"%PDF-")


def test_what_is_no_invoice_is_not_found(theirs: Workspace) -> None:
    for reference in ("TP-2026-999999", "2026-13", "nothing"):
        refused(theirs.call("GET", f"/v1/invoices/{reference}"), 404, "not_found")
        refused(theirs.call("GET", f"/v1/invoices/{reference}.pdf"), 404, "not_found")


def test_usage_comes_in_pages(workspace: Workspace) -> None:
    for day in range(1, 6):
        predicted(workspace, texts=day, version="mv_1", at=datetime(2026, 11, day, 12, tzinfo=UTC))
    asked = {"start": "2026-11-01", "end": "2026-11-30", "limit": 2}

    pages, after = [], None
    for _ in range(3):
        params = {**asked, "after": after} if after else asked
        page = workspace.call("GET", "/v1/usage", params=params).json()
        pages.append([use["quantity"] for use in page["data"]])
        after = page["next_after"]
        assert page["totals"] == [{"meter": "predictions", "quantity": "15", "events": 5}]

    assert (pages, after) == ([["1", "2"], ["3", "4"], ["5"]], None)


@on_both_databases
def test_single_events_are_told_as_cloud_events(workspace: Workspace) -> None:
    for number in range(3):
        predicted(workspace, texts=number + 1, version="mv_1", at=clock.now())

    first = workspace.call("GET", "/v1/usage/events", params={"limit": 2, "meter": "predictions"}).json()
    second = workspace.call("GET", "/v1/usage/events", params={"after": first["next_after"]}).json()

    assert [len(page["data"]) for page in (first, second)] == [2, 1]
    event = second["data"][0]
    assert (event["specversion"], event["subject"], event["data"]["quantity"]) == ("1.0", "mv_1", "1")
    assert event["source"] == f"/workspaces/{workspace.member.tenant_id}"
    refused(workspace.call("GET", "/v1/usage/events", params={"meter": "coffee"}), 422, "unknown_meter")
    refused(workspace.call("GET", "/v1/usage/events", params={"after": "nothing"}), 404, "not_found")


def test_a_budget_is_told_with_what_is_left_of_it(workspace: Workspace) -> None:
    none = workspace.call("GET", "/v1/budget").json()
    with transaction() as db:
        budgets.set_budget(db, workspace.member, amount=Money(50_000_000, "EUR"), hard_stop=True)
    predicted(workspace, texts=10_000, version="mv_1", at=clock.now())
    told = workspace.call("GET", "/v1/budget").json()

    assert none["budget"] is None
    assert (told["budget"], told["spent"], told["left"]) == (50_000_000, 2_000_000, 48_000_000)
    assert (told["currency"], told["hard_stop"]) == ("EUR", True)


def test_an_invoice_is_had_in_every_form(theirs: Workspace) -> None:
    number = theirs.call("GET", "/v1/invoices").json()["data"][1]["number"]

    endings = ("pdf", "csv", "json", "zip")
    files = {ending: theirs.call("GET", f"/v1/invoices/{number}.{ending}") for ending in endings}

    assert {ending: file.status_code for ending, file in files.items()} == dict.fromkeys(files, 200)
    assert files["pdf"].content.startswith(b"%PDF")
    assert files["csv"].text.startswith("BilledCost,")
    assert files["json"].json()["number"] == number
    with opened(BytesIO(files["zip"].content)) as bundle:
        assert verify(bundle).is_right
    assert theirs.call("GET", f"/v1/invoices/{number}/verdict").json()["right"] is True
    refused(theirs.call("GET", f"/v1/invoices/{number}.xml"), 409, "no_electronic_invoice")
    month = str(datetime.now(UTC).date())[:7]
    refused(theirs.call("GET", f"/v1/invoices/{month}.zip"), 409, "not_finalised")


def test_a_credit_note_is_listed_and_had_in_every_form(theirs: Workspace, workspace: Workspace) -> None:
    [note] = theirs.call("GET", "/v1/credit_notes").json()["data"]

    files = {
        ending: theirs.call("GET", f"/v1/credit_notes/{note['id']}.{ending}")
        for ending in ("pdf", "csv", "json")
    }

    assert (note["net"], note["total"], note["reason"]) == (100_000, 100_000, "A fault")
    assert {ending: file.status_code for ending, file in files.items()} == dict.fromkeys(files, 200)
    assert files["pdf"].content.startswith(b"%PDF")
    assert files["json"].json()["corrects"] == note["invoice"]
    refused(theirs.call("GET", f"/v1/credit_notes/{note['id']}.ubl.xml"), 409, "no_electronic_invoice")
    for stranger in (workspace.call("GET", f"/v1/credit_notes/{note['id']}.pdf"),):
        refused(stranger, 404, "not_found")
    assert workspace.call("GET", "/v1/credit_notes").json()["data"] == []
