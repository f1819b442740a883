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


def test_files_that_arrived_together_are_read_as_one(owner: Member) -> None:
    train = create_upload(owner, filename="train.csv")
    held_out = create_upload(owner, CARDS[:200].rsplit(b"\n", 1)[0] + b"\n", filename="cards-test.csv")
    page = visit(owner, "datasets", files=[train.id, held_out.id])
    guessed = [box.value for box in page.selectbox]

    button(page, "Read them together").click().run()

    assert guessed == ["train", "test"]
    assert not page.exception
    assert uploads(owner)[0].filename == "train (2 files).zip"
    assert page.query_params["upload"] == uploads(owner)[0].id
    assert "numbered through" in words(page)


def test_files_of_the_same_split_are_not_read_together(owner: Member) -> None:
    both = [create_upload(owner, filename=name).id for name in ("train.csv", "more-train.csv")]

    page = visit(owner, "datasets", files=both)

    assert button(page, "Read them together").disabled


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
    assert "needs the role editor" in words(page)
    sample = button(page, "Use this sample", 0)
    assert sample.disabled
    assert "needs the role editor" in sample.help
