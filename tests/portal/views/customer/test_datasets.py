from pathlib import Path

import pytest

from services.accounts.scope import Member, Role
from services.datasets import service as datasets
from services.datasets.tables import Upload
from services.db import reading
from tests.portal.rows import CARDS, colleague, create_dataset, create_upload, stranger
from tests.portal.visitor import button, visit, words


def uploads(member: Member) -> list[Upload]:
    with reading() as db:
        return datasets.uploads(db, member)


def test_an_empty_workspace_is_told_what_to_do(owner: Member) -> None:
    page = visit(owner, "datasets")

    assert not page.exception
    assert "**No data sets yet**" in words(page)
    assert "start with one of the samples" in words(page)


def test_data_sets_are_listed_with_their_health(owner: Member) -> None:
    create_dataset(owner, CARDS + b"a text without label,\n", name="Cards of :red[May]")

    page = visit(owner, "datasets")

    assert r"Cards of \::gray[]red\[May\]" in words(page)
    assert "1 left out" in words(page)
    assert "**No data sets yet**" not in words(page)


def test_another_workspace_s_data_sets_are_not_there(owner: Member) -> None:
    create_dataset(stranger(), name="Secret")

    assert "Secret" not in words(visit(owner, "datasets"))


def test_an_uploaded_file_is_kept_and_goes_to_its_check(owner: Member) -> None:
    page = visit(owner, "datasets")

    page.file_uploader[0].upload("cards.csv", CARDS)
    page.run()

    assert not page.exception
    (upload,) = uploads(owner)
    assert upload.filename == "cards.csv"
    assert page.query_params["upload"] == upload.id
    assert "We guessed how to read this file" in words(page)


@pytest.mark.parametrize(
    ("filename", "content", "code"),
    [
        ("empty.csv", b"", "empty_file"),
        ("blank.csv", b" \n\n", "empty_file"),
        ("photo.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(range(256)) * 8, "binary_file"),
        ("paper.pdf", b"%PDF-1.7\n" + bytes(200), "unsupported_format"),
    ],
)
def test_what_is_no_text_gets_one_sentence_and_leaves_nothing(
    owner: Member, home: Path, filename: str, content: bytes, code: str
) -> None:
    page = visit(owner, "datasets")

    page.file_uploader[0].upload(filename, content)
    page.run()

    assert not page.exception
    assert len(page.error) == 1
    assert code in page.error[0].value
    assert uploads(owner) == []
    assert not list((home / "objects").rglob("*.*"))


def test_a_sample_goes_the_same_way(owner: Member) -> None:
    page = visit(owner, "datasets")

    page.button(key="support-messages.csv").click().run()

    assert not page.exception
    assert [upload.filename for upload in uploads(owner)] == ["support-messages.csv"]
    assert page.text_input[0].value == "Support messages"


def test_a_file_that_nobody_checked_yet_is_still_there(owner: Member) -> None:
    create_upload(owner, filename="later.csv")

    assert r"Check later\.csv" in words(visit(owner, "datasets"))


def test_a_viewer_sees_but_cannot_upload(owner: Member) -> None:
    create_dataset(owner)

    page = visit(colleague(owner, Role.viewer), "datasets")

    assert "Cards" in words(page)
    assert page.file_uploader[0].disabled
    sample = button(page, "Use this sample", 0)
    assert sample.disabled
    assert "needs the role editor" in sample.help
