"""Spend adds up, lines follow to their events, and invoices are for those who may see them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from sqlmodel import Session

from services.accounts.scope import Member, Role, RoleMissing
from services.billing import service as billing
from services.billing.errors import MonthIsClosed
from services.billing.money import Money, total
from services.billing.period import Month
from services.clock import now
from services.errors import NotFound
from services.metering import service as metering
from services.registry.tables import Model, ModelVersion
from tests import factories
from tests.services.billing.factories import Clock, record, travel
from tests.services.metering import factories as usage

NOVEMBER = Month(2026, 11)


@pytest.fixture(autouse=True)
def november(clock: Clock) -> None:
    travel(clock, "2026-11-20T12:00")


def create_version(session: Session, member: Member, *, name: str = "intents") -> ModelVersion:
    job = factories.create_job(session, member, model_name=name)
    model = Model(tenant_id=member.tenant_id, name=name, task="text-classification")
    session.add(model)
    session.flush()
    version = ModelVersion(
        tenant_id=member.tenant_id,
        model_id=model.id,
        number=3,
        job_id=job.id,
        task=model.task,
        base_model="all-MiniLM-L6-v2",
        labels=["no", "yes"],
        metric="accuracy",
        value=0.9,
        report={},
        storage_prefix="nowhere",
        manifest={},
        bytes=1,
    )
    session.add(version)
    session.flush()
    return version


def test_a_months_spend_is_the_subtotal_of_its_draft_and_the_sum_of_its_days(
    session: Session, member: Member
) -> None:
    record(session, member, texts=12_345, seconds="777.7")
    record(session, member, texts=54_321, at=NOVEMBER.start("UTC"))

    spend = billing.month_spend(session, member)
    by_day = billing.spend_by_day(session, member)

    assert spend == billing.draft_invoice(session, member, month=NOVEMBER).draft.subtotal
    assert spend == total((day.amount for day in by_day), "EUR")
    assert [(day.day, day.title) for day in by_day] == [
        (date(2026, 11, 1), "Predictions"),
        (date(2026, 11, 20), "Predictions"),
        (date(2026, 11, 20), "Training on GPU"),
    ]


def test_a_month_ends_before_the_next_begins(session: Session, member: Member) -> None:
    record(session, member, texts=5_000, at=NOVEMBER.end("UTC"))

    assert billing.month_spend(session, member) == Money.zero("EUR")
    assert billing.month_spend(session, member, month=NOVEMBER.next) == Money(1_000_000, "EUR")


def test_lines_go_by_the_names_of_jobs_and_model_versions(session: Session, member: Member) -> None:
    version = create_version(session, member)
    record(session, member, texts=1000, model_version_id=version.id)
    record(session, member, seconds="60", job_id=version.job_id)
    record(session, member, texts=1000, model_version_id="mv_deleted")

    draft = billing.draft_invoice(session, member, month=NOVEMBER).draft

    assert {line.subject: line.name for line in draft.lines} == {
        version.job_id: "intents",
        version.id: "intents, version 3",
        "mv_deleted": "mv_deleted",
    }


def test_names_of_another_workspace_are_not_told(session: Session, member: Member) -> None:
    foreign = create_version(session, factories.create_member(session), name="secret")
    record(session, member, texts=1000, model_version_id=foreign.id)

    [line] = billing.draft_invoice(session, member, month=NOVEMBER).draft.lines

    assert line.name == foreign.id


def test_every_line_opens_exactly_the_events_it_counts(session: Session, member: Member) -> None:
    for texts, version in ((300, "mv_1"), (400, "mv_1"), (500, "mv_2")):
        record(session, member, texts=texts, model_version_id=version)
    record(session, member, texts=600, model_version_id="mv_1", at=NOVEMBER.start("UTC"))
    record(session, member, seconds="60", job_id="job_1", device_class="cpu")
    record(session, member, seconds="90", job_id="job_2")
    on_gpu = usage.training("", job_id="job_1", device_class="cuda", at=now())
    metering.record(session, [replace(on_gpu, tenant_id=member.tenant_id, id="job:job_1:training:gpu")])
    record(session, factories.create_member(session), texts=700, model_version_id="mv_1")

    lines = billing.draft_invoice(session, member, month=NOVEMBER).draft.lines

    assert len(lines) == 6
    for line in lines:
        page = billing.line_events(session, member, reference="2026-11", line_key=line.key)
        assert len(page.events) == line.events
        assert sum(event.quantity for event in page.events) == line.quantity
        assert {event.tenant_id for event in page.events} == {member.tenant_id}


def test_the_events_of_a_line_are_paged(session: Session, member: Member) -> None:
    for _ in range(5):
        record(session, member, texts=1000)
    [line] = billing.draft_invoice(session, member, month=NOVEMBER).draft.lines

    first = billing.line_events(session, member, reference="2026-11", line_key=line.key, limit=3)
    rest = billing.line_events(
        session, member, reference="2026-11", line_key=line.key, limit=3, after=first.next_after
    )

    assert len({event.id for event in first.events + rest.events}) == 5
    assert rest.next_after is None


def test_a_line_that_is_not_there_opens_nothing(session: Session, member: Member) -> None:
    with pytest.raises(NotFound):
        billing.line_events(session, member, reference="2026-11", line_key="predictions:v1:2026-11-01:mv_1")


def test_an_invoice_is_found_by_number_id_and_month(session: Session, member: Member, clock: Clock) -> None:
    record(session, member, texts=5_000)
    draft = billing.statement(session, member, reference="2026-11")
    travel(clock, "2026-12-05T12:00")
    closed = billing.close_month(session, member, year=2026, month=11)
    assert closed is not None

    found = [
        billing.statement(session, member, reference=ref) for ref in (closed.number, closed.id, "2026-11")
    ]

    assert draft.is_draft
    assert [shown.number for shown in found] == [closed.number] * 3
    assert billing.invoices(session, member) == [closed]
    assert billing.invoice(session, member, number_or_id=closed.number) is closed
    with pytest.raises(MonthIsClosed, match=closed.number):
        billing.draft_invoice(session, member, month=NOVEMBER)


def test_a_foreign_invoice_sounds_like_one_that_does_not_exist(
    session: Session, member: Member, clock: Clock
) -> None:
    record(session, member, texts=5_000)
    travel(clock, "2026-12-05T12:00")
    closed = billing.close_month(session, member, year=2026, month=11)
    assert closed is not None
    stranger = factories.create_member(session)

    refusals = []
    for reference in (closed.number, closed.id, "TP-2026-999999", "bill_nothing"):
        with pytest.raises(NotFound) as refused:
            billing.statement(session, stranger, reference=reference)
        refusals.append(refused.value.message)

    assert len(set(refusals)) == 1
    assert billing.invoices(session, stranger) == []
    assert billing.statement(session, member, reference=closed.number).number == closed.number


def test_a_closed_month_is_as_private_as_its_invoice(
    session: Session, member: Member, member_as: Callable[[Role], Member], clock: Clock
) -> None:
    record(session, member, texts=5_000)
    travel(clock, "2026-12-05T12:00")
    billing.close_month(session, member, year=2026, month=11)

    with pytest.raises(RoleMissing):
        billing.statement(session, member_as(Role.editor), reference="2026-11")


@pytest.mark.parametrize("role", [Role.editor, Role.viewer])
def test_without_the_billing_role_use_is_seen_and_invoices_are_not(
    session: Session, member_as: Callable[[Role], Member], role: Role
) -> None:
    member = member_as(role)

    assert billing.month_spend(session, member) == Money.zero("EUR")
    assert billing.credit_left(session, member) == Money.zero("EUR")
    for ask in (
        lambda: billing.invoices(session, member),
        lambda: billing.invoice(session, member, number_or_id="TP-2026-000001"),
        lambda: billing.draft_invoice(session, member, month=NOVEMBER),
        lambda: billing.statement(session, member, reference="2026-11"),
        lambda: billing.line_events(session, member, reference="2026-11", line_key="x"),
    ):
        with pytest.raises(RoleMissing):
            ask()


def test_the_billing_role_is_enough_for_invoices(
    session: Session, member_as: Callable[[Role], Member]
) -> None:
    member = member_as(Role.billing)

    assert billing.invoices(session, member) == []
    assert billing.statement(session, member, reference="2026-11").is_draft
