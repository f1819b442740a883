"""A job whose base model gets used to the texts of another data set first."""

import json

import pytest

from services import deletion, ordering
from services.accounts.scope import Member
from services.billing import service as billing
from services.datasets import files
from services.datasets import service as datasets
from services.datasets.errors import DatasetInUse
from services.datasets.preview import DEFAULT_SEED, inspect
from services.datasets.tables import DatasetVersion
from services.db import reading, transaction
from services.errors import NotFound
from services.registry import exports
from services.training.process.folder import RunFolder
from services.training.recipe import FamiliarisingNotPossible, Preset, Recipe, Task
from services.worker.attempt import _prepare
from tests import factories
from tests.services.worker.working import ROWS, claim

PLAIN = b"text\n" + b"".join(b"nobody has labelled number %d yet\n" % number for number in range(300))


def create(member: Member, name: str, content: bytes, **known: Task) -> DatasetVersion:
    form, _ = inspect(content, **known)
    with (
        files.store(member, filename=f"{name}.csv", content=content) as stored,
        transaction() as session,
    ):
        upload = datasets.upload(session, member, stored=stored)
    with files.freeze(member, upload, form=form, seed=DEFAULT_SEED) as version, transaction() as session:
        return datasets.create(session, member, name=name, version=version)


def recipe(on: str | None, passes: int = 2) -> Recipe:
    return Recipe(
        task=Task.text_classification, preset=Preset.custom, familiarising_epochs=passes, familiarising_on=on
    )


@pytest.fixture
def plain(customer: Member) -> DatasetVersion:
    return create(customer, "Plain", PLAIN, task=Task.unlabelled)


def test_the_texts_are_quoted_delivered_and_told(customer: Member, plain: DatasetVersion) -> None:
    data = create(customer, "Rows", ROWS.encode())
    with transaction() as session:
        offers = [
            ordering.offer(session, customer, dataset_version_id=data.id, recipe=recipe(on))
            for on in (None, plain.id)
        ]
        ordering.order(
            session,
            customer,
            dataset_version_id=data.id,
            recipe=recipe(plain.id),
            model_name="rows",
            key="once",
        )
        told = exports.familiarised(session, customer, recipe=recipe(plain.id))
    claimed, _ = claim()

    prepared, _ = _prepare(claimed, "cpu")
    folder = RunFolder(prepared)

    assert offers[1].seconds_high > offers[0].seconds_high
    texts = [
        json.loads(line)["text"]
        for file in folder.familiar.iterdir()
        for line in file.read_text("utf-8").splitlines()
    ]
    assert len(texts) == 300
    assert told == f"2 passes over Plain, version 1, sha256 {plain.content_hash}"


def test_texts_that_a_job_still_needs_are_not_deleted(customer: Member, plain: DatasetVersion) -> None:
    data = create(customer, "Rows", ROWS.encode())
    with transaction() as session:
        ordering.order(
            session,
            customer,
            dataset_version_id=data.id,
            recipe=recipe(plain.id),
            model_name="rows",
            key="once",
        )

    with pytest.raises(DatasetInUse), transaction() as session:
        deletion.delete_dataset(session, customer, dataset_id=plain.dataset_id)


def test_a_card_still_says_what_was_read_once_its_texts_are_gone(
    customer: Member,
    plain: DatasetVersion,
) -> None:
    with transaction() as session:
        deletion.delete_dataset(session, customer, dataset_id=plain.dataset_id)

    with reading() as session:
        told = exports.familiarised(session, customer, recipe=recipe(plain.id, passes=1))

    assert told == "1 pass over a data set that was deleted since"


def test_texts_of_another_workspace_are_not_there(customer: Member, plain: DatasetVersion) -> None:
    with transaction() as session:
        other = factories.create_member(session)
        billing.grant_trial(session, other)
    data = create(other, "Rows", ROWS.encode())

    with pytest.raises(NotFound), reading() as session:
        ordering.offer(session, other, dataset_version_id=data.id, recipe=recipe(plain.id))


def test_texts_without_a_pass_over_them_are_refused() -> None:
    with pytest.raises(FamiliarisingNotPossible):
        recipe("dsv_1", passes=0)
    with pytest.raises(FamiliarisingNotPossible):
        Recipe(task=Task.chat, familiarising_epochs=1, familiarising_on="dsv_1")
