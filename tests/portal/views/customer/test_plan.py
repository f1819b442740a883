"""Plan and budget: changing at the cost that was shown, and a budget that stops."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from services.accounts.scope import Member, Role, Staff, StaffRole
from services.billing import budgets, catalogue, profiles, redeeming, subscriptions
from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.money import Money
from services.db import reading, transaction
from tests import factories
from tests.portal.visitor import button, visit, words
from tests.services.billing.factories import Clock, travel

ADA = Staff(user_id="ada", role=StaffRole.admin)


@pytest.fixture
def member(owner: Member, clock: Clock) -> Member:
    travel(clock, "2027-11-16T00:00:01")
    with transaction() as db:
        team = replace(PAY_AS_YOU_GO, name="team", title="Team", fee=Money(10_000_000, "EUR"))
        catalogue.publish(db, ADA, team)
    return owner


def fill(app: AppTest, **fields: str) -> None:
    by_label = {one.label: one for one in (*app.text_input, *app.text_area)}
    for label, value in fields.items():
        by_label[label].set_value(value)


def test_a_plan_is_changed_at_the_cost_that_was_shown(member: Member) -> None:
    app = visit(member, "plan")
    assert not app.exception

    button(app, "Change to Team").click().run()
    assert "€5.00 is due for the rest of this month" in words(app)
    app.button(key="confirm_go").click().run()

    with reading() as db:
        assert subscriptions.current_plan(db, member).name == "team"
    labels = [one.label for one in app.button]
    assert "Change to Team" not in labels
    assert "Change to Pay as you go" in labels


def test_a_budget_is_set_and_taken_away(member: Member) -> None:
    app = visit(member, "plan")
    fill(app, **{"Budget for a month, in EUR": "250", "By e-mail to": "bo@acme.example"})
    app.toggle[0].set_value(True)
    button(app, "Save budget").click().run()

    with reading() as db:
        kept = budgets.budget_of(db, member)
    assert kept is not None
    assert (kept.amount, kept.hard_stop, kept.emails) == (250_000_000, True, ["bo@acme.example"])
    assert kept.thresholds == [50, 80, 100]

    fill(app, **{"Budget for a month, in EUR": ""})
    button(app, "Save budget").click().run()
    with reading() as db:
        assert budgets.budget_of(db, member) is None


def test_what_is_no_budget_is_said(member: Member) -> None:
    app = visit(member, "plan")
    fill(app, **{"Budget for a month, in EUR": "a lot"})
    button(app, "Save budget").click().run()

    assert any("is no amount" in error.value for error in app.error)


def test_an_address_with_a_vat_id_that_fails_its_checksum_is_refused(member: Member) -> None:
    app = visit(member, "plan")
    fill(app, Company="Acme GmbH", **{"VAT id": "DE136695977"})
    button(app, "Save address").click().run()
    assert any("check digit" in error.value for error in app.error)

    fill(app, Company="Acme GmbH", Country="DE", **{"VAT id": "DE136695976"})
    button(app, "Save address").click().run()

    with reading() as db:
        assert profiles.profile(db, member).vat_id == "DE136695976"


def test_a_coupon_is_taken_up(member: Member) -> None:
    with transaction() as db:
        terms = redeeming.Terms(title="Ten", amount=Money(10_000_000, "EUR"))
        redeeming.make_coupon(db, ADA, code="TEN", terms=terms)
    app = visit(member, "plan")
    fill(app, Coupon="ten")
    button(app, "Take up").click().run()

    assert not app.error
    assert "**Ten** takes €10.00 off each invoice." in words(app)


def test_who_does_not_look_after_billing_is_told_so(member: Member) -> None:
    with transaction() as db:
        viewer = factories.create_member(db, tenant_id=member.tenant_id, role=Role.viewer)

    app = visit(viewer, "plan")

    assert any("needs the role billing" in error.value for error in app.error)
