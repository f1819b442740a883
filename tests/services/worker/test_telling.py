"""Customers are told of budgets and overdue invoices, each thing once, by letter and by signed message."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from services import webhooks
from services.accounts.scope import Member
from services.billing import budgets, closing, subscriptions
from services.billing.money import Money
from services.billing.period import Month
from services.billing.profiles import Address, set_address
from services.config import settings
from services.db import transaction
from services.worker import telling
from tests import factories
from tests.services.billing.factories import Clock, record, travel


@pytest.fixture
def hook() -> Iterator[HTTPServer]:
    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            self.server.got.append((dict(self.headers), body))  # type: ignore[attr-defined]
            self.send_response(self.server.status)  # type: ignore[attr-defined]
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        server.got, server.status = [], 204  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def spender(live_database: str, clock: Clock) -> Member:
    travel(clock, "2026-11-10T12:00")
    with transaction() as session:
        member = factories.create_member(session)
        subscriptions.subscribe(session, member, plan="pay-as-you-go")
    return member


def budget(member: Member, **changes: object) -> str:
    with transaction() as session:
        kept = budgets.set_budget(session, member, amount=Money(10_000_000, "EUR"), **changes)  # type: ignore[arg-type]
        record(session, member, texts=30_000)
    return kept.webhook_secret


def test_a_threshold_is_told_once_by_letter_and_by_a_message_that_can_be_checked(
    spender: Member, letters: list[str], hook: HTTPServer
) -> None:
    url = f"http://127.0.0.1:{hook.server_address[1]}/hook"
    secret = budget(spender, emails=("bo@acme.example",), webhook_url=url)

    assert telling.tell_of_budgets(spender) == 1
    assert telling.tell_of_budgets(spender) == 0

    [letter] = letters
    assert "To: bo@acme.example" in letter
    assert "spent 6.00 EUR of its budget of 10.00 EUR" in letter.replace("\r\n", " ").replace("=\n", "")
    [(headers, body)] = hook.got  # type: ignore[attr-defined]
    said = json.loads(body)
    assert (said["type"], said["data"]["threshold_percent"]) == ("budget.threshold_reached", 50)
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    made = webhooks.signature(secret, message_id=headers["webhook-id"], at=at, body=body)
    assert headers["webhook-signature"] == made
    other = webhooks.signature(webhooks.new_secret(), message_id=headers["webhook-id"], at=at, body=body)
    assert other != made


def test_who_cannot_be_reached_is_told_later(spender: Member, hook: HTTPServer) -> None:
    budget(spender, webhook_url=f"http://127.0.0.1:{hook.server_address[1]}/hook")
    hook.status = 500  # type: ignore[attr-defined]
    assert telling.tell_of_budgets(spender) == 0

    hook.status = 200  # type: ignore[attr-defined]
    assert telling.tell_of_budgets(spender) == 1
    first, second = (headers["webhook-id"] for headers, _ in hook.got)  # type: ignore[attr-defined]
    assert first == second


def test_in_production_no_message_goes_into_our_own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "MODE": "production",
        "SECRET_KEY": "x" * 40,
        "PORTAL_URL": "https://portal.example.com",
        "OIDC_METADATA_URL": "https://id.example.com/.well-known/openid-configuration",
    }.items():
        monkeypatch.setenv(f"TUNEPORT_{name}", value)
    settings.cache_clear()

    for url in ("https://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/", "http://8.8.8.8/"):
        with pytest.raises(webhooks.UnusableWebhook):
            webhooks.checked(url)
    assert webhooks.checked("https://8.8.8.8/hook") == "https://8.8.8.8/hook"


def test_an_overdue_invoice_is_reminded_of_three_times_and_no_more(
    spender: Member, letters: list[str], clock: Clock
) -> None:
    with transaction() as session:
        record(session, spender, texts=30_000)
        set_address(session, spender, Address(email="bo@acme.example"))
    travel(clock, "2026-12-02T12:00")
    with transaction() as session:
        made = closing.finalise(session, spender, month=Month(2026, 11))
    assert made is not None

    went_out = []
    for day in ("2026-12-17", "2026-12-19", "2026-12-20", "2026-12-30", "2027-01-13", "2027-03-01"):
        travel(clock, f"{day}T12:00")
        went_out.append(telling.remind(spender))

    assert went_out == [0, 1, 0, 1, 1, 0]
    subjects = [line for letter in letters for line in letter.splitlines() if line.startswith("Subject:")]
    assert subjects == [
        f"Subject: Reminder: invoice {made.number}",
        f"Subject: Second reminder: invoice {made.number}",
        f"Subject: Last reminder: invoice {made.number}",
    ]
    assert "6.00 EUR of the invoice" in letters[0]
    assert Decimal(made.payable) == 6_000_000
