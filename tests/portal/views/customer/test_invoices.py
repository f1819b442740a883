from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from services import clock as product_clock
from services.accounts.scope import Member, Role, Staff, StaffRole
from services.billing import contracts, crediting
from services.billing import service as billing
from services.billing.money import Money
from services.billing.period import Month
from services.config import settings
from services.db import reading, transaction
from services.registry.tables import ModelVersion
from tests.conftest import Clock
from tests.portal.reports import create_report
from tests.portal.rows import colleague, create_model, record_predictions, stranger
from tests.portal.visitor import visit, words

DAY = 24 * 3600


@pytest.fixture
def version(owner: Member, tmp_path: Path) -> ModelVersion:
    return create_model(owner, tmp_path, create_report())


def present_month() -> Month:
    return Month.of(product_clock.now(), "UTC")


def line_keys(member: Member) -> dict[str, str]:
    with reading() as db:
        draft = billing.draft_invoice(db, member, month=present_month()).draft
    return {line.meter: line.key for line in draft.lines}


def close_present_month(member: Member, clock: Clock) -> str:
    month = present_month()
    clock.advance(33 * DAY)
    with transaction() as db:
        invoice = billing.close_month(db, member, year=month.year, month=month.month)
    assert invoice is not None
    return invoice.number


def test_the_present_month_is_listed_as_a_draft(owner: Member, version: ModelVersion) -> None:
    page = visit(owner, "invoices")

    assert not page.exception
    assert "This month’s draft" in words(page)
    assert "Draft" in words(page)


def test_a_draft_shows_its_figures_and_a_line_for_each_job_and_day(
    owner: Member, version: ModelVersion
) -> None:
    record_predictions(owner, version, 5000)

    page = visit(owner, "invoice", invoice=str(present_month()))

    assert not page.exception
    text = words(page)
    for said in (
        "To pay: €0.00",
        "Use: €1.30",
        "Discount and credit: €1.30",
    ):
        assert said in text
    assert "€0.20 per 1,000" in text
    assert "PDF" in text
    labels = [one.label for one in page.button]
    assert "Training on CPU" in labels
    assert "Predictions" in labels
    assert ":small[:gray[cards]]" in text
    assert r":small[:gray[cards\, version 1]]" in text


def test_a_training_line_opens_its_job_and_event(owner: Member, version: ModelVersion) -> None:
    key = line_keys(owner)["training_seconds"]

    page = visit(owner, "invoice", invoice=str(present_month()), line=key)

    assert not page.exception
    assert "The job that trained cards" in words(page)
    assert list(page.dataframe[0].value["Event"]) == [f"job:{version.job_id}:training"]


def test_a_day_s_predictions_open_their_calls(owner: Member, version: ModelVersion) -> None:
    record_predictions(owner, version, 20)
    record_predictions(owner, version, 30)
    key = line_keys(owner)["predictions"]

    page = visit(owner, "invoice", invoice=str(present_month()), line=key)

    assert sorted(page.dataframe[0].value["Quantity"]) == [20, 30]
    assert page.dataframe[0].value["By"][0].startswith("Person")


def test_a_final_invoice_is_listed_under_its_number(
    owner: Member, version: ModelVersion, clock: Clock
) -> None:
    number = close_present_month(owner, clock)

    page = visit(owner, "invoices")
    invoice = visit(owner, "invoice", invoice=number)

    assert number in words(page)
    assert invoice.title[0].value == number.replace("-", r"\-")
    assert "Use: €0.30" in words(invoice)


def test_another_workspace_s_invoice_is_not_found(
    owner: Member, version: ModelVersion, clock: Clock, tmp_path: Path
) -> None:
    other = stranger()
    create_model(other, tmp_path / "other", create_report())
    number = close_present_month(other, clock)

    page = visit(owner, "invoice", invoice=number)

    assert not page.exception
    assert "not_found" in page.error[0].value


def test_a_line_opens_and_closes_by_its_button(owner: Member, version: ModelVersion) -> None:
    key = line_keys(owner)["training_seconds"]
    page = visit(owner, "invoice", invoice=str(present_month()))

    page.button(key=f"line:{key}").click().run()
    assert page.query_params["line"] == key
    assert len(page.dataframe) == 1

    page.button(key=f"line:{key}").click().run()
    assert "line" not in page.query_params
    assert len(page.dataframe) == 0


def test_without_an_address_it_goes_where_there_is_a_choice(owner: Member) -> None:
    assert visit(owner, "invoice").title[0].value == "Invoices"


def test_a_viewer_is_told_who_may_see_money(owner: Member) -> None:
    page = visit(colleague(owner, Role.viewer), "invoices")

    assert not page.exception
    assert "role_missing" in page.error[0].value


def test_the_billing_role_may_look(owner: Member, version: ModelVersion) -> None:
    page = visit(colleague(owner, Role.billing), "invoice", invoice=str(present_month()))

    assert not page.exception
    assert "Use: €0.30" in words(page)


def test_an_invoice_is_checked_in_front_of_the_customer(
    owner: Member, version: ModelVersion, clock: Clock
) -> None:
    record_predictions(owner, version, 5000)
    number = close_present_month(owner, clock)

    page = visit(owner, "invoice", invoice=number)
    next(one for one in page.button if one.label == "Check this invoice").click().run()

    assert not page.exception
    assert [one.value for one in page.success] == [
        "All is right. 2 lines rated anew from 2 events, 1 block hashed again, every sum added up."
    ]


def test_a_draft_cannot_be_checked_yet(owner: Member, version: ModelVersion) -> None:
    record_predictions(owner, version, 5000)

    page = visit(owner, "invoice", invoice=str(present_month()))

    assert "Check this invoice" not in [one.label for one in page.button]


def test_a_contract_s_instalments_stand_on_its_invoices(
    owner: Member, version: ModelVersion, clock: Clock, operator: Staff
) -> None:
    month = present_month()
    fee = contracts.Terms(fee=Money(1_000_000_000, "EUR"), parts=3)
    with transaction() as db:
        contracts.sign(
            db, operator, tenant_id=owner.tenant_id, title="Yearly", first=month, months=3, terms=fee
        )
    draft = visit(owner, "invoice", invoice=str(month))
    number = close_present_month(owner, clock)
    following = visit(owner, "invoice", invoice=str(month.next))

    def told(page: AppTest) -> list[list[str]]:
        [table] = [frame.value for frame in page.dataframe if "Instalment" in frame.value]
        return [list(table["Amount"]), list(table["State"])]

    amounts = ["€333.34", "€333.33", "€333.33"]
    assert told(draft) == [amounts, ["This invoice", "To come", "To come"]]
    assert told(following) == [amounts, [number, "This invoice", "To come"]]


@pytest.mark.parametrize("key", ["", "sk_test_12345"])
def test_an_open_invoice_says_how_to_pay_it(
    owner: Member, version: ModelVersion, clock: Clock, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    record_predictions(owner, version, 500_000)
    monkeypatch.setenv("TUNEPORT_STRIPE_SECRET_KEY", key)
    settings.cache_clear()
    number = close_present_month(owner, clock)

    page = visit(owner, "invoice", invoice=number)

    assert not page.exception
    assert "to be paid by" in words(page)
    links = [link.proto.url for link in page.get("link_button") if link.proto.label.startswith("Pay ")]
    assert len(links) == bool(key)
    assert all(link.startswith(f"/pay/{number}?link=") for link in links)


def test_what_was_taken_back_stands_on_the_page_with_its_documents(
    owner: Member, version: ModelVersion, clock: Clock
) -> None:
    record_predictions(owner, version, 500_000)
    number = close_present_month(owner, clock)
    ada = Staff(user_id="ada", role=StaffRole.admin)
    with transaction() as db:
        invoice = billing.invoice(db, owner, number_or_id=number)
        note = crediting.credit(
            db,
            ada,
            tenant_id=owner.tenant_id,
            invoice_id=invoice.id,
            reason="An outage",
            net=Money(1_000_000, "EUR"),
        )

    page = visit(owner, "invoice", invoice=number)

    assert not page.exception
    assert note.number in words(page)
    assert "still to be paid" in words(page)
