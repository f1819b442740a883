"""`tuneport month close` says of each workspace how its month ended, and what needs somebody as an error."""

from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner, Result

from services.accounts.scope import Member
from services.billing import monitor
from services.cli.app import app
from services.db import transaction
from tests import factories
from tests.services.billing.factories import Clock, record, travel

FINDING = "The subtotal is 9.00 EUR, and its parts come to 10.00 EUR."


def close(*options: str) -> Result:
    return CliRunner().invoke(app, ["month", "close", *options])


def create_workspace(name: str, **columns: object) -> Member:
    """A workspace that used ten euros in April."""
    with transaction() as session:
        tenant = factories.create_tenant(session, name=name, **columns)
        member = factories.create_member(session, tenant_id=tenant.id)
        record(session, member, texts=50_000, at=datetime(2031, 4, 10, 12, tzinfo=UTC))
    return member


@pytest.fixture
def may(live_database: str, clock: Clock) -> None:
    """April is over, and so is its day of grace."""
    travel(clock, "2031-05-03T00:00")


@pytest.mark.usefixtures("may")
def test_a_closed_month_is_told_with_its_number_and_total_also_when_it_was_closed_before() -> None:
    create_workspace("Acme")

    first, again = close(), close("--month", "2031-04")

    assert (first.exit_code, first.stdout, first.stderr) == (0, "TP-2031-000001  10.00 EUR  Acme\n", "")
    assert again.stdout == first.stdout


@pytest.mark.usefixtures("may")
def test_a_month_that_is_not_over_is_waited_for() -> None:
    create_workspace("Acme")

    answer = close("--month", "2031-05")

    assert answer.exit_code == 0
    assert (answer.stdout, answer.stderr) == ("", "Acme: 2031-05 is not over, or its day of grace is not.\n")


@pytest.mark.usefixtures("may")
def test_a_parked_workspace_is_told_with_its_reason_and_holds_nobody_up() -> None:
    held = create_workspace("Acme")
    create_workspace("Northwind")
    with transaction() as session:
        monitor.park(session, held, [FINDING])

    answer = close()

    assert answer.exit_code == 0
    assert answer.stderr == f"Acme is parked: {FINDING}\n"
    assert answer.stdout == "TP-2031-000001  10.00 EUR  Northwind\n"


@pytest.mark.usefixtures("may")
def test_of_a_workspace_without_use_nothing_is_said() -> None:
    with transaction() as session:
        factories.create_member(session)

    answer = close()

    assert (answer.exit_code, answer.output) == (0, "")


def test_left_out_the_month_is_the_last_one_in_each_workspace_s_own_zone(
    live_database: str, clock: Clock
) -> None:
    # It is May in Tokyo, and still April in Honolulu.
    travel(clock, "2031-05-01T03:00")
    create_workspace("Tokyo", time_zone="Asia/Tokyo")
    create_workspace("Honolulu", time_zone="Pacific/Honolulu")

    answer = close()

    assert answer.stdout == ""
    assert "Tokyo: 2031-04 is not over, or its day of grace is not." in answer.stderr
    assert "Honolulu" not in answer.stderr
