"""Files leave by our own route alone, to the browser and the workspace that a link was made for."""

from datetime import timedelta
from decimal import Decimal
from urllib.parse import unquote

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from portal.downloads import LINK_LIFE, download, signed_link
from services import clock as now
from services.accounts import sign_ins, team
from services.accounts.scope import Member, Role, Staff
from services.accounts.tables import User
from services.billing import partners
from services.billing.period import Month
from services.db import transaction
from tests.conftest import Clock
from tests.portal import rows
from tests.portal.signed_in import SignedIn


class Browser(SignedIn):
    def __init__(self, member: Member) -> None:
        super().__init__(member, [Route("/download/{kind}/{subject}", download)])

    def link(self, kind: str, subject: str) -> str:
        return signed_link(kind, subject, tenant_id=self.tenant_id, secret=self.secret)


@pytest.fixture
def rejected(owner: Member) -> str:
    """A data set version with one row that could not be used."""
    version = rows.create_dataset(owner, rows.CARDS + b",card_arrival\n", name="Cards ü")
    return version.id


def this_month() -> str:
    return str(Month.of(now.now(), "UTC"))


def test_the_rejected_rows_come_as_a_file_that_nobody_keeps(owner: Member, rejected: str) -> None:
    browser = Browser(owner)

    answer = browser.client.get(browser.link("rejected-rows", rejected))

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    disposition = unquote(answer.headers["content-disposition"])
    assert disposition == "attachment; filename*=UTF-8''Cards ü v1 rejected rows.csv"
    assert "row,code,reason" in answer.text
    assert len(answer.text.splitlines()) == 2


def test_an_invoice_comes_as_a_pdf(owner: Member) -> None:
    browser = Browser(owner)

    answer = browser.client.get(browser.link("invoice-pdf", this_month()))

    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].endswith(f"draft-{this_month()}.pdf")
    assert answer.content.startswith(b"%PDF")


def refusal(answer) -> bytes:
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"
    return answer.content


def test_every_refusal_sounds_the_same(owner: Member, rejected: str, clock: Clock) -> None:
    browser, stranger = Browser(owner), Browser(rows.stranger())
    good = browser.link("rejected-rows", rejected)
    another = rows.create_dataset(owner, name="Another").id
    anonymous = TestClient(browser.client.app)

    refusals = {
        refusal(anonymous.get(good)),
        # Another browser, of the same person and of somebody else.
        refusal(Browser(owner).client.get(good)),
        refusal(stranger.client.get(good)),
        # A stranger's own link to somebody else's file, and to one that is nowhere.
        refusal(stranger.client.get(stranger.link("rejected-rows", rejected))),
        refusal(stranger.client.get(stranger.link("rejected-rows", "dsv_0000"))),
        # A link bent to another file, signed by nobody, or not there.
        refusal(browser.client.get(good.replace(rejected, another))),
        refusal(browser.client.get(good.replace("rejected-rows", "invoice-pdf"))),
        refusal(browser.client.get(good[:-2])),
        refusal(browser.client.get(good.partition("?")[0])),
        refusal(browser.client.get(browser.link("weights", rejected))),
    }
    clock.advance(LINK_LIFE.total_seconds())
    refusals.add(refusal(browser.client.get(good)))

    assert len(refusals) == 1


def test_a_link_works_until_it_runs_out(owner: Member, rejected: str, clock: Clock) -> None:
    browser = Browser(owner)
    link = browser.link("rejected-rows", rejected)

    clock.advance((LINK_LIFE - timedelta(seconds=2)).total_seconds())

    assert browser.client.get(link).status_code == 200


def test_signing_out_ends_the_links_of_a_browser(owner: Member, rejected: str) -> None:
    browser = Browser(owner)
    link = browser.link("rejected-rows", rejected)

    with transaction() as db:
        sign_ins.end(db, browser.secret)

    refusal(browser.client.get(link))


def test_a_member_who_was_removed_gets_nothing(owner: Member, rejected: str) -> None:
    colleague = rows.colleague(owner, Role.viewer)
    browser = Browser(colleague)
    link = browser.link("rejected-rows", rejected)
    assert browser.client.get(link).status_code == 200

    with transaction() as db:
        team.remove_member(db, owner, user_id=colleague.user_id)

    refusal(browser.client.get(link))


def test_a_person_who_was_switched_off_gets_nothing(owner: Member, rejected: str) -> None:
    browser = Browser(owner)
    link = browser.link("rejected-rows", rejected)

    with transaction() as db:
        user = db.get_one(User, owner.user_id)
        user.disabled_at = now.now()
        db.add(user)

    refusal(browser.client.get(link))


def test_an_invoice_needs_the_role_for_it(owner: Member) -> None:
    viewer, finance = (Browser(rows.colleague(owner, role)) for role in (Role.viewer, Role.billing))

    refusal(viewer.client.get(viewer.link("invoice-pdf", this_month())))
    assert finance.client.get(finance.link("invoice-pdf", this_month())).status_code == 200


@pytest.mark.parametrize(("kind", "name"), [("csv", "text/csv"), ("jsonl", "application/x-ndjson")])
def test_the_rows_of_a_version_come_whole(owner: Member, rejected: str, kind: str, name: str) -> None:
    browser = Browser(owner)

    answer = browser.client.get(browser.link(f"rows-{kind}", rejected))

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(name)
    assert len(answer.text.splitlines()) == 40 + (kind == "csv")


def test_sentences_come_as_tokens_and_tags(owner: Member) -> None:
    version = rows.create_dataset(owner, rows.PLACES, name="Places")
    browser = Browser(owner)

    answer = browser.client.get(browser.link("rows-conll", version.id))

    assert "\tB-" in answer.text


def test_a_partners_statement_is_for_operators_alone(owner: Member, operator: Staff) -> None:
    with transaction() as db:
        partner = partners.add_partner(db, operator, name="Wienfluss", share_percent=Decimal(10))
    kind, subject = "statement-csv", f"{partner.id}.{this_month()}"
    theirs = Browser(Member(tenant_id="", role=Role.owner, user_id=operator.user_id))
    customers = Browser(owner)

    answer = theirs.client.get(theirs.link(kind, subject))

    assert answer.text.startswith("partner,month,workspace,invoice")
    for browser in (customers, theirs):
        foreign = signed_link(kind, subject, tenant_id="", secret=customers.secret)
        assert browser.client.get(foreign).status_code == 404
    # Nor does their link open a customer's file.
    assert theirs.client.get(theirs.link("invoice-pdf", this_month())).status_code == 404
