"""Workspaces: all of them, and one with what an operator decides about it."""

from datetime import date
from pathlib import Path

from streamlit.testing.v1 import AppTest

from services.accounts import operating
from services.accounts.scope import Member, Staff
from services.accounts.tables import Tenant
from services.billing import closing, notes, payments
from services.billing import service as billing
from services.billing.credits import end_trial, on_trial
from services.billing.money import Money
from services.billing.period import Month
from services.db import reading, transaction
from tests.portal import rows
from tests.portal.reports import create_report
from tests.portal.visitor import button, opened_by, visit, words
from tests.services.billing.factories import Clock, record, travel


def opened(operator: Staff, **query: str) -> AppTest:
    app = opened_by(operator.user_id).switch_page("views/admin/tenants.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def tenant_of(member: Member) -> Tenant:
    with reading() as db:
        return db.get_one(Tenant, member.tenant_id)


def field(app: AppTest, label: str, value: str) -> AppTest:
    [box] = [one for one in app.text_input if one.label == label]
    return box.set_value(value).run()


def test_the_month_of_every_workspace(owner: Member, operator: Staff, tmp_path: Path) -> None:
    version = rows.create_model(owner, tmp_path, create_report())
    rows.record_predictions(owner, version, 1500)
    quiet = rows.stranger()

    app = opened(operator)

    assert not app.exception
    table = app.dataframe[0].value.set_index("Workspace")
    busy, other = table.loc[tenant_of(owner).name], table.loc[tenant_of(quiet).name]
    assert (busy["Spend"], busy["Earned"], busy["State"]) == ("€0.60", "€0.00", "Trial, €9.40 left")
    assert (other["Spend"], other["Last use"]) == ("€0.00", "never")


def test_a_workspace_is_found_by_its_name(owner: Member, operator: Staff) -> None:
    rows.stranger()

    app = field(opened(operator), "Find", tenant_of(owner).name.upper())

    assert app.dataframe[0].value["Workspace"].tolist() == [tenant_of(owner).name]


def test_one_workspace_shows_its_month_and_its_people(owner: Member, operator: Staff, tmp_path: Path) -> None:
    rows.record_predictions(owner, rows.create_model(owner, tmp_path, create_report()), 1500)

    app = opened(operator, tenant=owner.tenant_id)

    assert not app.exception
    assert app.title[0].value == tenant_of(owner).name
    written = "\n".join(frame.value.to_string() for frame in app.dataframe)
    assert "1,500 predictions" in written
    assert "Owner" in written
    assert "Spend this month: €0.60" in words(app)


def test_a_workspace_is_suspended_for_a_reason_and_opened_again(owner: Member, operator: Staff) -> None:
    app = opened(operator, tenant=owner.tenant_id)
    assert button(app, "Suspend it").disabled
    app = field(app, "Reason, as the customer reads it in the audit log", "Three invoices are unpaid")

    button(app, "Suspend it").click().run()
    assert tenant_of(owner).suspended_at is None
    app.button(key="confirm_go").click().run()

    assert tenant_of(owner).suspended_at is not None
    assert "Suspended" in words(app)
    log = "\n".join(frame.value.to_string() for frame in visit(owner, "members").dataframe)
    assert "Workspace suspended" in log
    assert "This workspace is suspended" in words(visit(owner, "home"))

    button(app, "Open it again").click().run()
    app.button(key="confirm_go").click().run()

    assert tenant_of(owner).suspended_at is None


def test_limits_are_saved(owner: Member, operator: Staff) -> None:
    app = opened(operator, tenant=owner.tenant_id)
    [box] = [one for one in app.number_input if one.label == "Jobs at once"]

    box.set_value(7)
    button(app, "Save limits").click().run()

    assert operating.allowed(tenant_of(owner)).running_jobs == 7


def test_a_trial_becomes_billing_by_invoice_after_a_question(owner: Member, operator: Staff) -> None:
    app = opened(operator, tenant=owner.tenant_id)

    button(app, "Bill by invoice").click().run()
    with transaction() as db:
        assert on_trial(db, owner)
    app.button(key="confirm_go").click().run()

    with reading() as db:
        assert not on_trial(db, owner)
        assert billing.credit_left(db, owner).micros > 0


def test_a_payment_is_sent_back_after_a_question(owner: Member, operator: Staff, clock: Clock) -> None:
    travel(clock, "2030-11-05T12:00")
    with transaction() as db:
        end_trial(db, operator, tenant_id=owner.tenant_id)
        record(db, owner, texts=500_000)
    travel(clock, "2030-12-03T12:00")
    with transaction() as db:
        invoice = closing.finalise(db, owner, month=Month(2030, 11))
        assert invoice is not None
        payments.record_by_hand(
            db,
            operator,
            tenant_id=owner.tenant_id,
            invoice_id=invoice.id,
            amount=Money(invoice.payable, "EUR"),
            reference="SEPA 1",
            received_on=date(2030, 12, 2),
        )
    app = opened(operator, tenant=owner.tenant_id)
    assert "SEPA 1" in "\n".join(frame.value.to_string() for frame in app.dataframe)

    app = field(app, "Amount with tax, in EUR", "30")
    button(app, "Note it").click().run()
    app.button(key="confirm_go").click().run()

    with reading() as db:
        [note] = notes.credit_notes(db, owner)
    assert note.total == 30_000_000
    assert note.number in words(visit(owner, "invoice", invoice=invoice.number))


def test_a_workspace_that_is_none_is_said(operator: Staff) -> None:
    app = opened(operator, tenant="ten_nothing")

    assert not app.exception
    assert app.error
