"""What is done about a file is kept until it is frozen, and each deed can be taken back."""

import pytest
from sqlmodel import Session

from services.accounts.scope import Member, Role, RoleMissing
from services.datasets import drafts
from services.datasets import service as datasets
from services.datasets.fixes import Clean, Dedupe, DropRows, Trim
from services.datasets.tables import Draft, Upload
from services.errors import NotFound
from tests import factories
from tests.services.datasets.factories import csv_form


@pytest.fixture
def upload(session: Session, member: Member) -> Upload:
    stored = Upload(
        tenant_id=member.tenant_id, filename="rows.csv", bytes=3, sha256="0" * 64, storage_key="nowhere"
    )
    return datasets.upload(session, member, stored=stored)


def kept(session: Session, member: Member, upload: Upload) -> Draft:
    session.expire_all()
    return drafts.find(session, member, upload_id=upload.id)


def test_a_new_file_is_read_as_we_guess(session: Session, member: Member, upload: Upload) -> None:
    draft = kept(session, member, upload)

    assert drafts.format_of(draft) is None
    assert drafts.fixes_of(draft) == []


def test_fixes_are_kept_in_order_and_each_can_be_undone(
    session: Session, member: Member, upload: Upload
) -> None:
    for fix in (Trim(), DropRows(rows=(3, 5)), Dedupe()):
        drafts.add_fix(session, member, upload_id=upload.id, fix=fix)

    drafts.undo(session, member, upload_id=upload.id, position=1)

    assert drafts.fixes_of(kept(session, member, upload)) == [Trim(), Dedupe()]
    with pytest.raises(drafts.FixGone):
        drafts.undo(session, member, upload_id=upload.id, position=2)


def test_another_way_of_reading_forgets_the_fixes(session: Session, member: Member, upload: Upload) -> None:
    drafts.read_as(session, member, upload_id=upload.id, form=csv_form())
    drafts.add_fix(session, member, upload_id=upload.id, fix=Clean())

    same = drafts.fixes_of(drafts.read_as(session, member, upload_id=upload.id, form=csv_form()))
    other = csv_form(text_column="label", label_column="text")
    after = drafts.read_as(session, member, upload_id=upload.id, form=other)

    assert same == [Clean()]
    assert (drafts.format_of(after), drafts.fixes_of(after)) == (other, [])


def test_there_is_an_end_to_fixes(session: Session, member: Member, upload: Upload) -> None:
    for _ in range(drafts.MAX_FIXES):
        drafts.add_fix(session, member, upload_id=upload.id, fix=Trim())

    with pytest.raises(drafts.TooManyFixes):
        drafts.add_fix(session, member, upload_id=upload.id, fix=Trim())


def test_a_version_is_opened_again_with_what_was_done(
    session: Session, member: Member, upload: Upload
) -> None:
    version = factories.create_version(session, member)
    version.upload_id, version.format = upload.id, csv_form().model_dump(mode="json")
    version.changes = [{"fix": Trim().model_dump(mode="json"), "rows_before": 2, "rows_after": 2}]
    session.add(version)
    session.flush()

    draft = drafts.from_version(session, member, version_id=version.id)

    assert (draft.upload_id, drafts.format_of(draft), drafts.fixes_of(draft)) == (
        upload.id,
        csv_form(),
        [Trim()],
    )


def test_a_version_without_its_file_stays_what_it_is(session: Session, member: Member) -> None:
    version = factories.create_version(session, member)

    with pytest.raises(drafts.FileGone):
        drafts.from_version(session, member, version_id=version.id)


def test_a_draft_goes_with_its_file(session: Session, member: Member, upload: Upload) -> None:
    drafts.add_fix(session, member, upload_id=upload.id, fix=Trim())

    datasets.delete_upload(session, member, upload_id=upload.id)

    assert session.get(Draft, "gone") is None
    with pytest.raises(NotFound):
        drafts.find(session, member, upload_id=upload.id)


def test_a_viewer_looks_and_changes_nothing(session: Session, member_as, upload: Upload) -> None:
    viewer = member_as(Role.viewer)

    assert drafts.fixes_of(drafts.find(session, viewer, upload_id=upload.id)) == []
    with pytest.raises(RoleMissing):
        drafts.add_fix(session, viewer, upload_id=upload.id, fix=Trim())


def test_a_foreign_file_has_no_draft(session: Session, member: Member, upload: Upload) -> None:
    stranger = factories.create_member(session)

    for ask in (
        lambda: drafts.find(session, stranger, upload_id=upload.id),
        lambda: drafts.add_fix(session, stranger, upload_id=upload.id, fix=Trim()),
        lambda: drafts.read_as(session, stranger, upload_id=upload.id, form=csv_form()),
        lambda: drafts.undo(session, stranger, upload_id=upload.id, position=0),
    ):
        with pytest.raises(NotFound):
            ask()
