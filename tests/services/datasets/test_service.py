from collections.abc import Callable

import pytest
from sqlmodel import Session

from services import clock as clock_seam
from services.accounts.errors import WorkspaceSuspended
from services.accounts.scope import Member, Role, RoleMissing, across
from services.accounts.service import get_tenant
from services.accounts.tables import AuditEntry
from services.datasets import files, service
from services.datasets.errors import BadDatasetName, DatasetDeleted, DatasetNameTaken, TaskDiffers
from services.datasets.formats import Format
from services.datasets.tables import Dataset, DatasetVersion, Upload
from services.errors import NotFound
from tests import factories
from tests.services.datasets.factories import conll_form, csv_form, support_csv

SENTENCES = "\n\n".join(f"name{number}\tB-person\nspoke\tO" for number in range(20)).encode()


def create_upload(session: Session, member: Member, content: bytes = b"") -> Upload:
    with files.store(member, filename="support.csv", content=content or support_csv()) as stored:
        return service.upload(session, member, stored=stored)


def create_dataset(
    session: Session, member: Member, *, name: str = "Support", upload: Upload | None = None
) -> DatasetVersion:
    upload = upload or create_upload(session, member)
    with files.freeze(member, upload, form=csv_form(), seed=42) as version:
        return service.create(session, member, name=name, version=version)


def add_version(
    session: Session, member: Member, dataset_id: str, content: bytes = b"", form: Format | None = None
) -> DatasetVersion:
    upload = create_upload(session, member, content)
    with files.freeze(member, upload, form=form or csv_form(), seed=42) as version:
        return service.add_version(session, member, dataset_id=dataset_id, version=version)


def test_an_upload_is_found_again(session: Session, member: Member) -> None:
    first, second = create_upload(session, member), create_upload(session, member)

    assert service.uploads(session, member) == [second, first]
    assert service.get_upload(session, member, upload_id=first.id) == first
    assert files.read_upload(first) == support_csv()


def test_a_deleted_upload_is_gone_and_its_versions_stay(session: Session, member: Member) -> None:
    upload = create_upload(session, member)
    version = create_dataset(session, member, upload=upload)

    key = service.delete_upload(session, member, upload_id=upload.id)

    assert key == upload.storage_key
    with pytest.raises(NotFound):
        service.get_upload(session, member, upload_id=upload.id)
    assert service.get_version(session, member, version_id=version.id).upload_id == upload.id


def test_a_data_set_begins_with_its_first_version(session: Session, member: Member) -> None:
    version = create_dataset(session, member, name="  Support messages ")
    session.expire_all()

    dataset = service.get(session, member, dataset_id=version.dataset_id)
    assert (dataset.name, dataset.task, dataset.created_by) == (
        "Support messages",
        "text-classification",
        member.user_id,
    )
    found = service.get_version(session, member, version_id=version.id)
    assert (found.number, found.rows_in, found.rows_used) == (1, 30, 30)
    assert found.labels["order"] == {"train": 11, "validation": 2, "test": 2}
    assert Format.model_validate(found.format) == csv_form()
    assert found.created_at <= clock_seam.now()


def test_versions_are_counted_up(session: Session, member: Member) -> None:
    first = create_dataset(session, member)

    second = add_version(session, member, first.dataset_id)
    third = add_version(session, member, first.dataset_id, support_csv(rows=40))

    assert service.versions(session, member, dataset_id=first.dataset_id) == [third, second, first]
    assert (second.number, third.number, third.rows_used) == (2, 3, 40)
    ((dataset, latest),) = service.list_datasets(session, member)
    assert (dataset.id, latest) == (first.dataset_id, third)


def test_data_sets_are_listed_newest_first(session: Session, member: Member) -> None:
    create_dataset(session, member, name="One")
    create_dataset(session, member, name="Two")

    assert [dataset.name for dataset, _ in service.list_datasets(session, member)] == ["Two", "One"]


def test_a_version_for_another_task_is_refused(session: Session, member: Member) -> None:
    first = create_dataset(session, member)

    with pytest.raises(TaskDiffers, match="token-classification"):
        add_version(session, member, first.dataset_id, SENTENCES, conll_form())

    assert service.versions(session, member, dataset_id=first.dataset_id) == [first]


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "two\nlines"])
def test_a_name_that_would_not_fit_is_refused(session: Session, member: Member, name: str) -> None:
    with pytest.raises(BadDatasetName):
        create_dataset(session, member, name=name)


def test_a_name_is_taken_once_in_a_workspace(session: Session, member: Member) -> None:
    create_dataset(session, member, name="Support")
    other = factories.create_member(session)

    with pytest.raises(DatasetNameTaken):
        create_dataset(session, member, name="Support ")
    create_dataset(session, other, name="Support")

    assert service.free_name(session, member, wanted="Support") == "Support 2"
    assert service.free_name(session, member, wanted="Sales") == "Sales"


def test_a_refused_data_set_leaves_no_files(session: Session, member: Member) -> None:
    create_dataset(session, member, name="Support")
    upload = create_upload(session, member)
    with (
        pytest.raises(DatasetNameTaken),
        files.freeze(member, upload, form=csv_form(), seed=1) as version,
    ):
        service.create(session, member, name="Support", version=version)

    with pytest.raises(NotFound):
        files.rejected(version)


def test_the_version_of_a_file_is_found(session: Session, member: Member) -> None:
    upload = create_upload(session, member)
    assert service.version_of_upload(session, member, upload_id=upload.id) is None

    create_dataset(session, member, name="One", upload=upload)
    newer = create_dataset(session, member, name="Two", upload=upload)

    assert service.version_of_upload(session, member, upload_id=upload.id) == newer


def test_a_deleted_data_set_is_gone_with_its_versions(session: Session, member: Member) -> None:
    first = create_dataset(session, member)
    second = add_version(session, member, first.dataset_id)

    prefixes = service.delete(session, member, dataset_id=first.dataset_id)

    assert prefixes[:2] == [second.storage_prefix, first.storage_prefix]
    assert service.uploads(session, member) == []
    assert service.list_datasets(session, member) == []
    assert (
        session.exec(across(DatasetVersion).where(DatasetVersion.tenant_id == member.tenant_id)).all() == []
    )


def test_of_a_data_set_that_models_came_from_nothing_stays_but_its_counts(
    session: Session, member: Member
) -> None:
    version = create_dataset(session, member, name="Cards")
    version.changes = [{"fix": {"name": "edit_row", "row": 2, "text": "quoted"}}]
    factories.create_job(session, member, dataset_version_id=version.id)

    gone = service.delete(session, member, dataset_id=version.dataset_id)

    left = service.get(session, member, dataset_id=version.dataset_id)
    assert version.storage_prefix in gone
    assert (left.name, left.deleted_at is None) == ("Cards (deleted)", False)
    assert (version.rows_used > 0, version.changes) == (True, [])
    assert left not in [dataset for dataset, _ in service.list_datasets(session, member)]
    assert version.upload_id not in [upload.id for upload in service.uploads(session, member)]
    assert create_dataset(session, member, name="Cards").number == 1
    with pytest.raises(DatasetDeleted):
        service.delete(session, member, dataset_id=version.dataset_id)
    with pytest.raises(DatasetDeleted):
        factories.create_job(session, member, dataset_version_id=version.id)


def test_a_file_that_another_data_set_was_made_of_stays(session: Session, member: Member) -> None:
    upload = create_upload(session, member)
    first = create_dataset(session, member, name="One", upload=upload)
    create_dataset(session, member, name="Two", upload=upload)

    service.delete(session, member, dataset_id=first.dataset_id)

    assert service.uploads(session, member) == [upload]


def test_a_suspended_workspace_makes_no_data_sets(session: Session, member: Member) -> None:
    get_tenant(session, member).suspended_at = clock_seam.now()
    session.flush()

    with pytest.raises(WorkspaceSuspended):
        create_dataset(session, member)


def test_viewers_look_and_change_nothing(
    session: Session, member: Member, member_as: Callable[[Role], Member]
) -> None:
    viewer = member_as(Role.viewer)
    version = create_dataset(session, member)
    (upload,) = service.uploads(session, viewer)

    assert service.get_version(session, viewer, version_id=version.id) == version
    for forbidden in (
        lambda: service.upload(session, viewer, stored=upload),
        lambda: service.delete_upload(session, viewer, upload_id=upload.id),
        lambda: service.create(session, viewer, name="Mine", version=version),
        lambda: service.add_version(session, viewer, dataset_id=version.dataset_id, version=version),
        lambda: service.delete(session, viewer, dataset_id=version.dataset_id),
    ):
        with pytest.raises(RoleMissing):
            forbidden()


def test_another_workspace_finds_nothing(session: Session, member: Member) -> None:
    version = create_dataset(session, member)
    (upload,) = service.uploads(session, member)
    other = factories.create_member(session)

    assert service.uploads(session, other) == []
    assert service.list_datasets(session, other) == []
    for foreign in (
        lambda: service.get_upload(session, other, upload_id=upload.id),
        lambda: service.version_of_upload(session, other, upload_id=upload.id),
        lambda: service.delete_upload(session, other, upload_id=upload.id),
        lambda: service.get(session, other, dataset_id=version.dataset_id),
        lambda: service.versions(session, other, dataset_id=version.dataset_id),
        lambda: service.get_version(session, other, version_id=version.id),
        lambda: service.delete(session, other, dataset_id=version.dataset_id),
        lambda: add_version(session, other, version.dataset_id),
    ):
        with pytest.raises(NotFound):
            foreign()


def test_every_change_is_in_the_audit_log(session: Session, member: Member) -> None:
    version = create_dataset(session, member)
    service.delete_upload(session, member, upload_id=version.upload_id or "")
    service.delete(session, member, dataset_id=version.dataset_id)

    entries = session.exec(across(AuditEntry).where(AuditEntry.tenant_id == member.tenant_id)).all()
    assert [entry.action for entry in sorted(entries, key=lambda entry: entry.id)] == [
        "upload.created",
        "dataset.created",
        "dataset_version.created",
        "upload.deleted",
        "dataset.deleted",
    ]
    assert session.get(Dataset, version.dataset_id) is None
