"""Contracts, credit, coupons, partners and new plans: shown with what they charge before they are agreed."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlmodel import select
from streamlit.testing.v1 import AppTest

from services.accounts.scope import Member, Staff
from services.accounts.tables import AuditEntry
from services.billing import catalogue, closing, contracts, partners, redeeming, subscriptions
from services.billing import credits as granting
from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.money import Money
from services.billing.period import Month
from services.billing.tables import CreditGrant
from services.db import reading, transaction
from tests import factories
from tests.portal.visitor import button, opened_by, words
from tests.services.billing.factories import Clock, record, travel


@pytest.fixture
def customer(empty_home: object, clock: Clock) -> Member:
    """A paying workspace that used 10 euros in December, seen on the 3rd."""
    travel(clock, "2026-12-01T12:00")
    with transaction() as db:
        member = factories.create_member(db)
        subscriptions.subscribe(db, member, plan=PAY_AS_YOU_GO.name)
        record(db, member, texts=50_000, at=datetime(2026, 12, 2, tzinfo=UTC))
    travel(clock, "2026-12-03T12:00")
    return member


def opened(operator: Staff, page: str, **query: str) -> AppTest:
    app = opened_by(operator.user_id).switch_page(f"views/admin/{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def write(app: AppTest, **fields: str) -> AppTest:
    """Write into the fields whose labels begin so."""
    for label, value in fields.items():
        [box] = [one for one in app.text_input if one.label.startswith(label.replace("_", " "))]
        box.set_value(value)
    return app.run()


def tables(app: AppTest) -> str:
    return "\n".join(frame.value.to_string() for frame in app.dataframe)


def agree(app: AppTest, label: str) -> AppTest:
    button(app, label).click().run()
    return app.button(key="confirm_go").click().run()


def audited() -> set[str]:
    with reading() as db:
        return set(db.exec(select(AuditEntry.action)))


def test_a_contract_is_signed_as_it_was_shown(customer: Member, operator: Staff) -> None:
    app = opened(operator, "agreements", tenant=customer.tenant_id)
    assert "No contract" in words(app)
    assert button(app, "Sign contract").disabled

    write(app, Fee="1000", Commitment="100")
    write(app, Use_beyond="1.5")

    seen = tables(app)
    assert "€83.34" in seen  # the first of twelve parts
    assert "€175.00" in seen  # what use of 150 costs
    agree(app, "Sign contract")
    assert not app.exception
    assert "€1,000.00" in tables(app)
    with reading() as db:
        [signed] = contracts.contracts(db, customer)
    assert (signed.starts_on, signed.ends_on) == (date(2026, 12, 1), date(2027, 11, 30))
    assert "contract.signed" in audited()


def test_a_contract_over_an_invoiced_month_is_refused_with_a_reason(
    customer: Member, operator: Staff, clock: Clock
) -> None:
    travel(clock, "2027-01-03T12:00")
    with transaction() as db:
        invoice = closing.finalise(db, customer, month=Month(2026, 12))
        assert invoice is not None
        with pytest.raises(contracts.UnusableContract, match=invoice.number):
            contracts.sign(
                db,
                operator,
                tenant_id=customer.tenant_id,
                title="Late",
                first=Month(2026, 12),
                months=2,
                terms=contracts.Terms(fee=contracts.Money(1_000_000, "EUR")),
            )

    app = opened(operator, "agreements", tenant=customer.tenant_id)
    write(app, Fee="a lot")

    assert any("holds no amount" in error.value for error in app.error)


def test_credit_is_granted_with_its_effect_on_this_month(customer: Member, operator: Staff) -> None:
    app = opened(operator, "agreements", tenant=customer.tenant_id)
    app.session_state["view"] = "credit"
    app.run()
    assert "No credit" in words(app)

    write(app, Amount="4")

    [preview] = [frame.value for frame in app.dataframe if "With this credit" in frame.value]
    assert list(preview["Now"])[-1] == "€10.00"
    assert list(preview["With this credit"])[-1] == "€6.00"
    agree(app, "Grant credit")
    with reading() as db:
        [grant] = db.exec(select(CreditGrant)).all()
    assert (grant.amount, grant.prepaid, grant.priority) == (4_000_000, True, 100)
    assert "Prepaid credit" in tables(app)
    assert "credit.granted" in audited()


def test_a_coupon_is_made_once(customer: Member, operator: Staff) -> None:
    app = opened(operator, "coupons")
    assert "No coupons yet" in words(app)

    write(app, Code="spring", Title="Spring", Percent="20")
    assert "€80.00" in tables(app)
    agree(app, "Make coupon")
    assert "SPRING" in tables(app)

    write(app, Code="spring", Title="Spring", Percent="30")
    agree(app, "Make coupon")
    assert any("other terms" in error.value for error in app.error)
    with reading() as db:
        [made] = redeeming.coupons(db, operator)
    assert redeeming.terms_of(made).percent == Decimal(20)
    assert "coupon.made" in audited()


def test_a_partner_is_added_and_told_its_share(customer: Member, operator: Staff, clock: Clock) -> None:
    travel(clock, "2027-01-03T12:00")
    with transaction() as db:
        closing.finalise(db, customer, month=Month(2026, 12))
    app = opened(operator, "partners")
    assert "No partners yet" in words(app)

    write(app, Name="North Star", Share="12.5")
    agree(app, "Add partner")
    with reading() as db:
        [partner] = partners.partners(db, operator)
    [by] = [one for one in app.selectbox if one.label == "Brought by"]
    by.set_value(partner.id).run()
    button(app, "Note it").click().run()

    assert "€1.25" in tables(app)
    write(app, Name="North Star", Share="10")
    agree(app, "Add partner")
    assert any("already" in error.value for error in app.error)
    assert {"partner.added", "partner.brought"} <= audited()


def test_a_plan_is_sold_that_was_not_sold_before(customer: Member, operator: Staff) -> None:
    app = opened(operator, "prices")
    button(app, "New plan").click().run()
    assert button(app, "Publish").disabled

    write(app, Title="Business", Fee="49")
    assert "€49.00" in words(app)
    agree(app, "Publish")

    assert not app.exception
    with reading() as db:
        [plan] = catalogue.versions(db, "business")
    assert (plan.title, str(plan.fee)) == ("Business", "49.00 EUR")
    button(app, "New plan").click().run()
    write(app, Title="business")
    agree(app, "Publish")
    assert any("already" in error.value for error in app.error)
    with reading() as db:
        assert len(catalogue.versions(db, "business")) == 1


def test_a_contract_ends_early_after_saying_what_is_lost(customer: Member, operator: Staff) -> None:
    with transaction() as db:
        contracts.sign(
            db,
            operator,
            tenant_id=customer.tenant_id,
            title="Annual contract",
            first=Month(2026, 12),
            months=12,
            terms=contracts.Terms(fee=Money(1_200_000_000, "EUR"), parts=12),
        )
    app = opened(operator, "agreements", tenant=customer.tenant_id)

    [last] = [box for box in app.selectbox if box.label == "Its last month"]
    last.set_value("2027-02").run()
    app.button(key="end:contract:go").click().run()
    assert "9 instalments of in all €900.00 will not be billed." in words(app)
    app.button(key="confirm_go").click().run()

    with reading() as db:
        [contract] = contracts.contracts(db, customer)
    assert contract.ends_on == date(2027, 2, 28)
    assert "contract.ended" in audited()


def test_credit_and_coupons_end_early(customer: Member, operator: Staff) -> None:
    with transaction() as db:
        grant = granting.grant_credit(
            db,
            operator,
            tenant_id=customer.tenant_id,
            credit=granting.NewCredit(amount=Money(50_000_000, "EUR"), reason="Prepaid credit", prepaid=True),
        )
        terms = redeeming.Terms(title="Welcome", percent=Decimal(10))
        redeeming.make_coupon(db, operator, code="WELCOME", terms=terms)
        redeeming.redeem(db, customer, code="WELCOME")

    app = opened(operator, "agreements", tenant=customer.tenant_id, view="Credit")
    app.button(key="end:credit:go").click().run()
    assert "The customer has paid for it: send that money back." in words(app)
    app.button(key="confirm_go").click().run()
    app = opened(operator, "agreements", tenant=customer.tenant_id, view="Coupons")
    app.button(key="end:coupon:go").click().run()
    app.button(key="confirm_go").click().run()
    app = opened(operator, "coupons")
    app.button(key="stop:coupon:go").click().run()
    app.button(key="confirm_go").click().run()

    with reading() as db:
        assert db.get_one(CreditGrant, grant.id).expires_at is not None
        assert redeeming.coupons_of(db, customer, Month(2026, 12)) == []
    assert {"credit.ended", "coupon.taken_back", "coupon.ended"} <= audited()
    assert "Expired" in tables(app)
