"""Use as rows for a spreadsheet: ids for programs, names for people, nothing that a sheet would run."""

import csv
import io
from datetime import date
from decimal import Decimal

from sqlmodel import Session

from services.accounts import keys
from services.accounts.scope import Member, Role
from services.documents import usage_csv
from services.metering.sums import Sum
from tests import factories


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_ids_have_names_beside_them_where_there_still_are_some(session: Session, member: Member) -> None:
    person = factories.create_member(session, tenant_id=member.tenant_id, role=Role.editor)
    key, _ = keys.create_key(session, person, name="laptop")
    by = ("", "mv_gone", key.id, person.user_id or "", "cpu")
    rows = [Sum(date(2026, 11, 2), "predictions", by, Decimal("1.5"), 2)]

    [row] = read(usage_csv.csv_of(rows, usage_csv.names(session, member, rows)))

    assert row["key"] == "laptop"
    assert row["member"].startswith("Person")
    assert (row["model_version_id"], row["model"], row["job"]) == ("mv_gone", "", "")
    assert (row["device_class"], row["quantity"], row["events"]) == ("cpu", "1.5", "2")


def test_a_name_is_never_a_formula() -> None:
    rows = [Sum(date(2026, 11, 2), "predictions", ("job_1", "", "", "", ""), Decimal(1), 1)]

    [row] = read(usage_csv.csv_of(rows, {"job_1": '=HYPERLINK("http://x")'}))

    assert row["job"].startswith("'=")
