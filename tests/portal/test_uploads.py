"""Files come by our own route, from the browser and for the workspace that a link was made for."""

from pathlib import Path

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from portal.uploads import LINK_LIFE, signed_query, upload
from services.accounts.scope import Member, Role
from services.datasets import files
from services.datasets import service as datasets
from services.db import reading
from tests.conftest import Clock
from tests.portal import rows
from tests.portal.signed_in import SignedIn

ANNOUNCED = {"filename": "cards.csv", "bytes": len(rows.CARDS), "fingerprint": "cards.csv:1:2"}


class Browser(SignedIn):
    def __init__(self, member: Member) -> None:
        super().__init__(
            member,
            [
                Route("/upload", upload, methods=["POST"]),
                Route("/upload/{session_id}", upload, methods=["HEAD", "PATCH", "POST", "DELETE"]),
            ],
        )
        self.link = signed_query(tenant_id=self.tenant_id, secret=self.secret)

    def begin(self) -> dict[str, object]:
        answer = self.client.post(f"/upload{self.link}", json=ANNOUNCED)
        assert answer.status_code == 200, answer.text
        begun: dict[str, object] = answer.json()
        return begun

    def send(self, session_id: object, start: int, content: bytes) -> int:
        headers = {"Upload-Offset": str(start)}
        answer = self.client.patch(f"/upload/{session_id}{self.link}", content=content, headers=headers)
        return answer.status_code


def test_a_file_comes_in_parts_and_another_page_goes_on_with_it(owner: Member) -> None:
    browser = Browser(owner)
    begun = browser.begin()
    browser.send(begun["id"], 0, rows.CARDS[:700])

    again = Browser(owner)
    resumed = again.begin()
    stands = again.client.head(f"/upload/{begun['id']}{again.link}")
    again.send(begun["id"], 700, rows.CARDS[700:])
    made = again.client.post(f"/upload/{begun['id']}{again.link}").json()

    assert resumed == {"id": begun["id"], "offset": 700}
    assert stands.headers["Upload-Offset"] == "700"
    with reading() as db:
        upload_row = datasets.get_upload(db, owner, upload_id=made["upload"])
    assert files.read_upload(upload_row) == rows.CARDS
    assert upload_row.filename == "cards.csv"


def test_a_cancelled_file_leaves_nothing(owner: Member, home: Path) -> None:
    browser = Browser(owner)
    begun = browser.begin()
    browser.send(begun["id"], 0, rows.CARDS[:700])

    browser.client.delete(f"/upload/{begun['id']}{browser.link}")

    assert not [file for file in (home / "objects").rglob("*") if file.is_file()]


def test_what_is_no_data_is_refused_in_words(owner: Member) -> None:
    browser = Browser(owner)
    begun = browser.begin()
    content = (bytes(range(256)) * len(rows.CARDS))[: len(rows.CARDS)]
    browser.send(begun["id"], 0, content)

    answer = browser.client.post(f"/upload/{begun['id']}{browser.link}")

    assert (answer.status_code, answer.json()["code"]) == (422, "binary_file")
    with reading() as db:
        assert datasets.uploads(db, owner) == []


def test_without_a_link_and_a_sign_in_of_the_same_browser_there_is_nothing(owner: Member) -> None:
    browser, other = Browser(owner), Browser(rows.stranger())
    begun = browser.begin()
    nobody = TestClient(browser.client.app)

    answers = [
        nobody.post(f"/upload{browser.link}", json=ANNOUNCED),
        other.client.post(f"/upload{browser.link}", json=ANNOUNCED),
        browser.client.post("/upload", json=ANNOUNCED),
        browser.client.post("/upload?link=forged", json=ANNOUNCED),
        other.client.head(f"/upload/{begun['id']}{other.link}"),
        other.client.patch(
            f"/upload/{begun['id']}{other.link}", content=b"x", headers={"Upload-Offset": "0"}
        ),
    ]

    assert [answer.status_code for answer in answers] == [404] * len(answers)


def test_a_link_ends_with_its_time(owner: Member, clock: Clock) -> None:
    browser = Browser(owner)
    clock.advance(LINK_LIFE.total_seconds() + 3601)

    assert browser.client.post(f"/upload{browser.link}", json=ANNOUNCED).status_code == 404


def test_a_viewer_cannot_upload(owner: Member) -> None:
    browser = Browser(rows.colleague(owner, Role.viewer))

    answer = browser.client.post(f"/upload{browser.link}", json=ANNOUNCED)

    assert (answer.status_code, answer.json()["code"]) == (403, "role_missing")


@pytest.mark.parametrize("body", [b"", b"[]", b"{" * 20_000, b'{"filename": "a"}'])
def test_an_announcement_that_is_none_is_refused(owner: Member, body: bytes) -> None:
    browser = Browser(owner)

    assert browser.client.post(f"/upload{browser.link}", content=body).status_code == 422
