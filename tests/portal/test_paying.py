"""The button on an invoice leads to the page of the payment provider, and nobody else there."""

import pytest
from starlette.routing import Route

from portal.downloads import seal
from portal.paying import pay
from services.accounts.scope import Member
from services.billing.online import checkout
from services.billing.online.checkout import Link
from services.billing.payment_errors import OnlinePaymentOff
from services.config import settings
from tests.portal import rows
from tests.portal.signed_in import SignedIn
from tests.services.billing.online.messages import euros


class Browser(SignedIn):
    def __init__(self, member: Member) -> None:
        super().__init__(member, [Route("/pay/{reference}", pay)])

    def link(self, reference: str, kind: str = "pay") -> str:
        return f"/pay/{reference}?link={seal(kind, reference, self.tenant_id, self.secret)}"


def test_an_invoice_of_somebody_else_is_not_found(owner: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEPORT_STRIPE_SECRET_KEY", "sk_test_12345")
    settings.cache_clear()
    browser, stranger = Browser(owner), Browser(rows.stranger())
    good = browser.link("TP-2026-000001")

    answers = [
        browser.client.get(good),
        stranger.client.get(good),
        browser.client.get("/pay/TP-2026-000001?link=forged"),
        browser.client.get(browser.link("TP-2026-000001", kind="invoice-pdf")),
    ]

    assert {(answer.status_code, answer.headers["cache-control"]) for answer in answers} == {
        (404, "no-store")
    }
    assert len({answer.text for answer in answers}) == 1


def test_it_leads_on_to_the_providers_page(owner: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    def page(member: Member, *, reference: str, opened: object) -> Link:
        assert (member.tenant_id, reference) == (owner.tenant_id, "TP-2026-000001")
        return Link("https://checkout.stripe.test/cs_1", euros("1"), None)  # type: ignore[arg-type]

    monkeypatch.setattr(checkout, "payment_link", page)
    browser = Browser(owner)

    answer = browser.client.get(browser.link("TP-2026-000001"))

    assert (answer.status_code, answer.headers["location"]) == (303, "https://checkout.stripe.test/cs_1")


def test_where_it_is_not_set_up_it_says_so(owner: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    def page(*_: object, **__: object) -> Link:
        raise OnlinePaymentOff

    monkeypatch.setattr(checkout, "payment_link", page)
    browser = Browser(owner)

    answer = browser.client.get(browser.link("TP-2026-000001"))

    assert answer.status_code == 409
    assert "cannot be paid online here" in answer.text
