"""Prices, billing runs and revenue: for operators, with what they would do before they do it."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from services.accounts.scope import Member, Staff, StaffRole
from services.accounts.tables import StaffGrant, User
from services.billing import catalogue, closing, letters, monitor, strays, subscriptions
from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.money import Money
from services.billing.period import Month
from services.billing.tables import CreditGrant, CreditNote, Invoice, InvoiceLetter, InvoiceState, Payment
from services.db import reading, transaction
from tests import factories
from tests.portal.visitor import button, by_itself, opened_by, words
from tests.services.billing.factories import Clock, record, travel

PAGES = ("tenants", "prices", "billing_runs", "revenue", "agreements", "coupons", "partners")


@pytest.fixture
def customer(empty_home: object, clock: Clock) -> Member:
    """A paying workspace that used 10 euros in November, seen on 3 December."""
    travel(clock, "2026-11-05T12:00")
    with transaction() as db:
        member = factories.create_member(db)
        subscriptions.subscribe(db, member, plan=PAY_AS_YOU_GO.name)
        record(db, member, texts=50_000, at=datetime(2026, 11, 6, tzinfo=UTC))
    travel(clock, "2026-12-03T12:00")
    return member


def opened(operator: Staff, page: str) -> AppTest:
    return opened_by(operator.user_id).switch_page(f"views/admin/{page}.py").run()


def tables(app: AppTest) -> str:
    return "\n".join(frame.value.to_string() for frame in app.dataframe)


def field(app: AppTest, label: str, value: str) -> AppTest:
    [box] = [one for one in app.text_input if one.label == label]
    return box.set_value(value).run()


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_installation_says_what_stands_here(operator: Staff, page: str) -> None:
    app = opened(operator, page)

    assert not app.exception
    assert app.title


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("role", [None, StaffRole.sales])
def test_the_pages_check_by_themselves(owner: Member, page: str, role: StaffRole | None) -> None:
    with transaction() as db:
        user = db.get_one(User, owner.user_id)
        if role is not None:
            db.add(StaffGrant(email=user.email, role=role))
    app = by_itself(owner.user_id, f"admin/{page}")

    assert app.exception
    assert [*app.title, *app.metric, *app.dataframe] == []


def price(app: AppTest, key: str, name: str) -> str:
    """The key of a field of the next version."""
    [found] = [box.key for box in (*app.text_input, *app.selectbox) if f":{key}:{name}" in (box.key or "")]
    return found


def test_several_new_prices_are_shown_on_last_months_use_and_published_together(
    customer: Member, operator: Staff
) -> None:
    app = opened(operator, "prices")
    assert "Nothing is changed yet" in words(app)
    assert button(app, "Publish").disabled

    app.text_input(key=price(app, "predictions", "amount")).set_value("0.30")
    app.text_input(key=price(app, "training.cuda", "amount")).set_value("0.004")
    app.run()
    field(app, "Fee a month, in EUR", "5")

    seen, said = tables(app), words(app)
    assert "€10.00" in seen
    assert "€15.00" in seen
    assert "All of them together: **€10.00** became **€15.00**." in said
    for change in (
        "**The fee** becomes **€5.00**",
        "**Predictions**, at five",
        "**Training on GPU**, at five",
    ):
        assert change in said
    assert "**Training on CPU**, at five" not in said

    button(app, "Publish").click().run()
    assert "It changes the fee, Training on GPU, Predictions." in words(app)

    button(app, "Publish").click().run()
    app.button(key="confirm_go").click().run()

    with reading() as db:
        first, second = catalogue.versions(db, PAY_AS_YOU_GO.name)
    assert first == PAY_AS_YOU_GO
    amounts = [sold.price.amount for sold in second.prices]  # type: ignore[union-attr]
    assert amounts == [Decimal(amount) for amount in ("0.001", "0.004", "0.30", "2")]
    assert second.fee == Money(5_000_000, "EUR")


def test_another_kind_of_price_brings_its_own_fields(operator: Staff) -> None:
    app = opened(operator, "prices")

    app.selectbox(key=price(app, "predictions", "kind")).set_value("volume").run()

    assert not app.exception
    assert [one.label for one in app.checkbox] == [
        "The first flat amount is due in a month without any prediction"
    ]
    assert "**Predictions**, at five quantities" in words(app)


@pytest.mark.parametrize(
    ("written", "said"), [("a lot", "holds no number"), ("-1", "greater than or equal to 0")]
)
def test_what_is_no_price_is_said_and_cannot_be_published(operator: Staff, written: str, said: str) -> None:
    app = opened(operator, "prices")

    app.text_input(key=price(app, "training.cpu", "amount")).set_value(written).run()

    assert any(said in error.value for error in app.error)
    assert [one.label for one in app.button if one.label == "Publish"] == []


def test_a_month_is_closed_paid_and_taken_back_from_one_page(customer: Member, operator: Staff) -> None:
    app = opened(operator, "billing_runs")
    assert {metric.label: metric.value for metric in app.metric}["Ready to finalise"] == "1"
    assert "Draft" in tables(app)

    button(app, "Finalise what is ready").click().run()
    app.button(key="confirm_go").click().run()

    with reading() as db:
        [invoice] = db.exec(select(Invoice)).all()
    assert invoice.number in tables(app)
    assert {metric.label: metric.value for metric in app.metric}["Finalised"] == "1"

    # Both fields of a form go with its button.
    fields = {one.label: one for one in app.text_input}
    fields["Amount"].set_value("4")
    fields["Reference"].set_value("R-1")
    button(app, "Record payment").click().run()
    field(app, "Take back, before tax", "6")
    field(app, "Reason, as the credit note says it", "A fault of ours")
    button(app, "Issue credit note").click().run()
    app.button(key="confirm_go").click().run()

    with reading() as db:
        assert [payment.amount for payment in db.exec(select(Payment))] == [4_000_000]
        assert [note.total for note in db.exec(select(CreditNote))] == [6_000_000]
        assert db.get_one(Invoice, invoice.id).state is InvoiceState.paid


def test_nothing_is_finalised_before_it_is_agreed_to(customer: Member, operator: Staff) -> None:
    app = opened(operator, "billing_runs")

    button(app, "Finalise what is ready").click().run()
    assert "never changes again" in words(app)
    app.button(key="confirm_keep").click().run()

    assert not app.exception
    assert {metric.label: metric.value for metric in app.metric}["Ready to finalise"] == "1"
    with reading() as db:
        assert db.exec(select(Invoice)).all() == []


def test_what_is_ready_is_finalised_and_nothing_else(customer: Member, operator: Staff) -> None:
    with transaction() as db:
        held = factories.create_member(db)
        record(db, held, texts=50_000, at=datetime(2026, 11, 6, tzinfo=UTC))
        monitor.park(db, held, ["The subtotal is 9.00 EUR, and its parts come to 10.00 EUR."])
    app = opened(operator, "billing_runs")

    button(app, "Finalise what is ready").click().run()
    app.button(key="confirm_go").click().run()

    assert not app.exception
    with reading() as db:
        assert [invoice.tenant_id for invoice in db.exec(select(Invoice))] == [customer.tenant_id]
    figures = {metric.label: metric.value for metric in app.metric}
    assert [figures[name] for name in ("Ready to finalise", "Finalised", "Parked")] == ["0", "1", "1"]
    assert button(app, "Finalise what is ready").disabled


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_parked_workspace_is_shown_with_its_reason_and_released(
    customer: Member, operator: Staff, is_closed: bool
) -> None:
    with transaction() as db:
        if is_closed:
            closing.finalise(db, customer, month=Month(2026, 11))
        monitor.park(db, customer, ["The subtotal is 9.00 EUR, and its parts come to 10.00 EUR."])

    app = opened(operator, "billing_runs")
    assert "its parts come to 10.00 EUR" in words(app).replace("\\", "")
    button(app, "Release").click().run()

    with reading() as db:
        assert monitor.hold(db, customer) is None
    assert "is not billed" not in words(app)


def test_revenue_shows_margins_and_what_is_overdue(customer: Member, operator: Staff, clock: Clock) -> None:
    with transaction() as db:
        closing.finalise(db, customer, month=Month(2026, 11))
    travel(clock, "2026-12-31T12:00")

    app = opened(operator, "revenue")

    metrics = {metric.label: metric.value for metric in app.metric}
    assert metrics["Overdue"] == "€10.00"
    assert "Up to 30 days" in tables(app)


def test_money_that_no_invoice_takes_is_shown_and_kept_as_credit(operator: Staff, customer: Member) -> None:
    with transaction() as db:
        made = closing.finalise(db, customer, month=Month(2026, 11))
        assert made is not None
        for reference in ("pi_1", "pi_2"):
            strays.take(
                db,
                customer,
                invoice_id=made.id,
                amount=Money(made.payable, made.currency),
                method="stripe",
                reference=reference,
                received_on=made.finalised_at.date(),
            )
    app = opened(operator, "billing_runs")
    assert "Payments that no invoice takes" in words(app)
    assert "invoice_paid" in words(app)

    button(app, "Keep as credit").click().run()

    assert not app.exception
    assert "Payments that no invoice takes" not in words(app)
    with reading() as db:
        [grant] = db.exec(select(CreditGrant).where(CreditGrant.tenant_id == customer.tenant_id))
        assert (grant.amount, grant.prepaid) == (10_000_000, True)


def test_an_invoice_that_did_not_go_out_is_shown_and_sent_again(operator: Staff, customer: Member) -> None:
    with transaction() as db:
        made = closing.finalise(db, customer, month=Month(2026, 11))
        assert made is not None
        letter = InvoiceLetter(tenant_id=customer.tenant_id, invoice_id=made.id, attempts=12, failure="No.")
        db.add(letter)
    app = opened(operator, "billing_runs")
    assert "Tried 12 times" in words(app)

    button(app, "Send again").click().run()

    assert "did not go out" not in words(app)
    with reading() as db:
        assert letters.due(db, customer) == [made.id]
