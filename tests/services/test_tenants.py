"""Every service function is knocked at from another workspace: no thing of the first one is found or shown.

A function that takes an id must answer a foreign one as it answers a made-up one; a function that takes none
must not show anything foreign. As a control, the workspace's own member finds and sees it.
"""

import hashlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

import services
from services import clock
from services.accounts.scope import Member, Role, Staff, StaffRole
from services.billing import service as billing
from services.billing.first_plan import PAY_AS_YOU_GO
from services.billing.money import Money
from services.billing.period import Month
from services.billing.profiles import Address
from services.billing.redeeming import Terms, make_coupon
from services.datasets import uploading
from services.datasets.fixes import Trim
from services.datasets.tables import DatasetVersion, Upload
from services.errors import NotFound, ServiceError
from services.jobs.service import Quoted
from services.jobs.tables import Job
from services.ledger.block import Head
from services.registry import service as registry
from services.registry.gate import Judgement, Verdict
from services.training.recipe import Recipe, Task
from tests import factories
from tests.services.billing.factories import create_draft
from tests.services.datasets.factories import csv_form
from tests.services.registry.test_service import create_report
from tests.services.world import CSV, Names, World, create_world, guesses

# Whatever keeps or reads rows of tenants.
DOMAINS = (
    "accounts",
    "datasets",
    "jobs",
    "registry",
    "metering",
    "ledger",
    "billing",
    "proof",
    "ordering",
    "onboarding",
    "deletion",
    "reports",
)
FORM = csv_form()
RECIPE = Recipe(task=Task.text_classification)
NO_MONEY = Money(0, "EUR")
FREE = Money(1, "EUR")
A_COIN = Money(10_000, "EUR")
NO_FIGURES = create_draft()


@dataclass(frozen=True)
class Finds:
    """It takes an id: a foreign one is not found."""

    arguments: Callable[[Names, Member], dict[str, Any]]


@dataclass(frozen=True)
class Shows:
    """What it gives to others holds nothing foreign, and to the workspace's own member what `sees` names."""

    sees: tuple[str, ...] = ()
    arguments: Callable[[Names, Member], dict[str, Any]] = lambda names, member: {}


def days() -> dict[str, date]:
    # A day to either side: the workspace's calendar may be ahead.
    today = clock.now().date()
    return {"first": today - timedelta(days=1), "last": today + timedelta(days=1)}


def closed_month() -> Month:
    return Month.of(clock.now() - timedelta(days=40), "UTC")


def this_month() -> Month:
    return Month.of(clock.now(), "UTC")


def new_version(member: Member) -> DatasetVersion:
    """A frozen version's row, of no data set yet."""
    return DatasetVersion(
        dataset_id="",
        tenant_id=member.tenant_id,
        task=Task.text_classification,
        format={},
        content_hash="hash",
        seed=42,
        rows_in=3,
        rows_used=3,
        labels={},
        splits={},
        characters=30,
        storage_prefix="prefix",
        manifest={},
    )


def new_upload(member: Member) -> Upload:
    return Upload(tenant_id=member.tenant_id, filename="a.csv", bytes=3, sha256="sum", storage_key="key")


def by(*fields: str, **more: Any) -> Callable[[Names, Member], dict[str, Any]]:
    """Arguments named like the fields, or `argument=field`; other values are passed as they are."""
    return lambda names, member: {
        **{name: getattr(names, name) for name in fields},
        **{
            name: getattr(names, value.strip("<>")) if isinstance(value, str) and value[:1] == "<" else value
            for name, value in more.items()
        },
    }


CASES: dict[str, Finds | Shows] = {
    "accounts.keys.create_key": Shows(arguments=by(name="another")),
    "accounts.keys.list_keys": Shows(("key_id",)),
    "accounts.keys.revoke_key": Finds(by("key_id")),
    "accounts.keys.touch_key": Shows(),
    "accounts.scope.find": Finds(by(table=Job, row_id="<job_id>", noun="job")),
    "accounts.service.get_tenant": Shows(),
    "accounts.service.lock_tenant": Shows(),
    "accounts.team.audit_log": Shows(("job_id", "key_id", "upload_id")),
    "accounts.team.change_role": Finds(by("user_id", role=Role.viewer)),
    "accounts.team.colleagues": Shows(("user_id",)),
    "accounts.team.invite": Shows(arguments=by(email="new@example.com", role=Role.viewer)),
    "accounts.team.open_invitations": Shows(("invitation_id",)),
    "accounts.team.remove_member": Finds(by("user_id")),
    "accounts.team.revoke_invitation": Finds(by("invitation_id")),
    "datasets.service.add_version": Finds(
        lambda names, member: {"dataset_id": names.dataset_id, "version": new_version(member)}
    ),
    "datasets.service.create": Shows(
        arguments=lambda names, member: {"name": "mine", "version": new_version(member)}
    ),
    "datasets.service.delete": Finds(by("dataset_id")),
    "datasets.service.delete_upload": Finds(by("upload_id")),
    "datasets.service.find_upload": Shows(("upload_id",), by(sha256=hashlib.sha256(CSV).hexdigest())),
    "datasets.service.free_name": Shows(arguments=by(wanted="mine")),
    "datasets.service.get": Finds(by("dataset_id")),
    "datasets.service.get_upload": Finds(by("upload_id")),
    "datasets.service.get_version": Finds(by(version_id="<dataset_version_id>")),
    "datasets.service.require_data": Finds(by("dataset_id")),
    "deletion.delete_dataset": Finds(by("dataset_id")),
    "deletion.models_of": Finds(by("dataset_id")),
    "datasets.service.list_datasets": Shows(("dataset_id", "dataset_version_id")),
    "datasets.service.upload": Shows(arguments=lambda names, member: {"stored": new_upload(member)}),
    "datasets.service.uploads": Shows(("upload_id",)),
    "datasets.service.version_of_upload": Finds(by("upload_id")),
    "datasets.service.versions": Finds(by("dataset_id")),
    "jobs.outlook.starts": Shows(),
    "datasets.uploading.add_part": Finds(
        lambda names, member: {
            "stored": uploading.new_part(member, session_id=names.upload_session_id, size=3, start=0)
        }
    ),
    "datasets.uploading.begin": Shows(
        ("upload_session_id",), by(filename="a.csv", size=100, fingerprint="more")
    ),
    "datasets.uploading.cancel": Finds(by(session_id="<upload_session_id>")),
    "datasets.uploading.complete": Finds(
        lambda names, member: {"session_id": names.upload_session_id, "stored": new_upload(member)}
    ),
    "datasets.uploading.get": Finds(by(session_id="<upload_session_id>")),
    "datasets.uploading.in_order": Finds(by(session_id="<upload_session_id>")),
    "datasets.uploading.offset": Finds(by(session_id="<upload_session_id>")),
    "datasets.uploading.parts": Finds(by(session_id="<upload_session_id>")),
    "datasets.uploading.require_open": Finds(by(session_id="<upload_session_id>")),
    "datasets.uncounted.keep": Finds(by(version_id="<dataset_version_id>", tokens={})),
    "datasets.drafts.add_fix": Finds(by("upload_id", fix=Trim())),
    "datasets.drafts.find": Finds(by("upload_id")),
    "datasets.drafts.from_version": Finds(by(version_id="<dataset_version_id>")),
    "datasets.drafts.read_as": Finds(by("upload_id", form=FORM)),
    "datasets.drafts.undo": Finds(by("upload_id", position=0)),
    "jobs.service.by_key": Shows(("job_id",), by(key="<idempotency_key>")),
    "jobs.service.cancel": Finds(by("job_id")),
    "jobs.service.stop": Finds(by("job_id")),
    "jobs.service.count_open": Shows(),
    "jobs.service.events": Finds(by("job_id")),
    "jobs.service.get": Finds(by("job_id")),
    "jobs.service.on_data": Finds(by("dataset_id")),
    "jobs.service.open_jobs": Shows(("job_id",)),
    "jobs.service.queue_position": Finds(by("job_id")),
    "jobs.service.recent": Shows(("job_id",)),
    "jobs.service.submit": Finds(
        by(
            "dataset_version_id",
            recipe=RECIPE,
            model_name="mine",
            quoted=Quoted(seconds_low=1, seconds_high=2, low=1, high=2, device_class="cpu"),
            key="new",
        )
    ),
    "jobs.submitting.standing": Shows(
        ("job_id",), by(version_id="<dataset_version_id>", key="<idempotency_key>")
    ),
    "ordering.offer": Finds(by("dataset_version_id", recipe=RECIPE)),
    "ordering.order": Finds(by("dataset_version_id", recipe=RECIPE, model_name="mine", key="new")),
    "registry.exports.familiarised": Shows(
        arguments=lambda names, _: {
            "recipe": RECIPE.model_copy(
                update={"familiarising_epochs": 1, "familiarising_on": names.dataset_version_id}
            )
        }
    ),
    "registry.service.check_name": Shows(arguments=by(name="<model_name>", task="text-classification")),
    "registry.service.is_named": Shows(arguments=by(prefix="no such prefix")),
    "registry.service.standings": Shows(("model_id", "model_name", "model_version_id")),
    "registry.service.get_model": Finds(by("model_id")),
    "registry.service.get_version": Finds(by(version_id="<model_version_id>")),
    "registry.service.models": Shows(("model_id", "model_name")),
    "registry.service.production": Shows(("model_id", "model_version_id")),
    "registry.service.of_jobs": Shows(
        ("model_id", "model_version_id"), lambda names, member: {"job_ids": [names.job_id]}
    ),
    "registry.aliases.history": Shows(("model_version_id",), by("model_id")),
    "registry.aliases.promote": Finds(
        lambda names, member: {
            "judged": Judgement(
                version_id=names.model_version_id,
                against_id=names.model_version_id,
                verdict=Verdict.not_comparable,
                rows=0,
            )
        }
    ),
    "registry.aliases.roll_back": Finds(by("model_id")),
    "registry.thresholds.choose": Finds(by(version_id="<model_version_id>", threshold=0.5)),
    "registry.thresholds.history": Shows(arguments=by(version_id="<model_version_id>")),
    "registry.thresholds.of": Shows(arguments=by(version_id="<model_version_id>")),
    "registry.service.resolve": Finds(by(name="<model_name>")),
    "registry.service.versions": Shows(("model_version_id",), by("model_id")),
    "metering.sums.instants": Shows(arguments=lambda names, member: days()),
    "metering.sums.summed": Shows(
        ("model_version_id",),
        lambda names, member: {**days(), "by": ["model_version_id"]},
    ),
    "metering.service.by_day": Shows(("model_version_id",), lambda names, member: {**days(), "by": "model"}),
    "metering.service.breakdown": Shows(("model_version_id", "key_id"), lambda names, member: days()),
    "billing.comparing.on_every_plan": Shows(arguments=lambda names, member: {"month": this_month()}),
    "metering.service.events": Shows(
        ("event_id",), lambda names, member: {**days(), "subject": names.model_version_id}
    ),
    "metering.intake.receive": Shows(arguments=by(batch=[])),
    "metering.storing.store_days": Shows(),
    "ledger.sealing.blocks": Shows(arguments=by(until=1)),
    "ledger.sealing.events": Shows(("event_id",), by(after=0, until=1_000_000_000)),
    "ledger.sealing.head": Shows(),
    "ledger.sealing.end_of": Shows(arguments=by(head=Head(blocks=1))),
    "proof.service.check": Finds(by(reference="<invoice_number>")),
    "proof.service.export": Finds(by(reference="<invoice_number>", into=BytesIO())),
    "metering.service.totals": Shows(arguments=lambda names, member: days()),
    "metering.service.uses": Shows(("model_version_id",), lambda names, member: days()),
    "billing.closing.close_month": Shows(
        ("invoice_id",), lambda names, member: {"year": closed_month().year, "month": closed_month().month}
    ),
    "billing.credits.credit_left": Shows(),
    "billing.subscriptions.current_plan": Shows(),
    "billing.ahead.rate": Shows(
        ("model_version_id",), lambda names, member: {"month": this_month(), "ledger": Head()}
    ),
    "billing.ahead.rate_ahead": Shows(("model_version_id",), lambda names, member: {"month": this_month()}),
    "billing.drafting.basis_of": Shows(arguments=lambda names, member: {"month": this_month(), "uses": []}),
    "billing.drafting.credits_before": Shows(arguments=lambda names, member: {"month": this_month()}),
    "billing.drafting.draft_month": Shows(
        ("model_version_id",), lambda names, member: {"month": this_month()}
    ),
    "billing.drafting.invoice_of": Shows(("invoice_id",), lambda names, member: {"month": closed_month()}),
    "billing.subscriptions.plan_versions": Shows(),
    "billing.drafting.rated": Shows(
        ("model_version_id",), lambda names, member: {"month": this_month(), "grants": ()}
    ),
    "billing.drafting.uses_of": Shows(("model_version_id",), lambda names, member: {"month": this_month()}),
    "billing.heading.snapshot_of": Shows(
        arguments=lambda names, member: {"month": this_month(), "figures": NO_FIGURES}
    ),
    "billing.subscriptions.subscription": Shows(),
    "billing.calendars.this_month": Shows(),
    "billing.calendars.today": Shows(),
    "accounts.service.lock_tenant_to_bill": Shows(),
    "billing.budgets.alerts": Shows(),
    "billing.budgets.budget_of": Shows(),
    "billing.budgets.clear_budget": Shows(),
    "billing.budgets.free_to_spend": Shows(),
    "billing.budgets.note_alerts": Shows(),
    "billing.budgets.set_budget": Shows(arguments=by(amount=FREE)),
    "billing.budgets.standing": Shows(),
    "billing.dunning.due_reminders": Shows(),
    "billing.dunning.overdue": Shows(),
    "billing.closing.finalise": Shows(arguments=lambda names, member: {"month": closed_month().previous}),
    "billing.contracts.contract_in": Shows(arguments=lambda names, member: {"month": this_month()}),
    "billing.contracts.contracts": Shows(),
    "billing.monitor.findings": Shows(arguments=lambda names, member: {"figures": NO_FIGURES, "uses": []}),
    "billing.monitor.of_credits": Shows(),
    "billing.monitor.of_month": Shows(
        arguments=lambda names, member: {"month": this_month(), "figures": NO_FIGURES, "uses": []}
    ),
    "billing.monitor.hold": Shows(),
    "billing.monitor.park": Shows(arguments=by(findings=["a sum"])),
    "billing.payments.record": Finds(
        by(
            "invoice_id",
            amount=FREE,
            method="bank_transfer",
            reference="R-1",
            received_on=date(2026, 1, 1),
            recorded_by="ada",
        )
    ),
    "billing.notes.credit_note": Finds(by(number_or_id="<credit_note_number>")),
    "billing.notes.credit_notes": Shows(("credit_note_number",)),
    "billing.crediting.credit_sent_back": Finds(by("invoice_id", amount=A_COIN, reason="Refund")),
    "billing.refunds.known": Shows(
        arguments=lambda names, member: {"method": "stripe", "reference": "pi_1", "currency": "EUR"}
    ),
    "billing.refunds.refunded": Finds(
        by("invoice_id", method="stripe", reference="pi_1", in_all=A_COIN, on=date(2026, 1, 1))
    ),
    "billing.strays.take": Finds(
        by("invoice_id", amount=FREE, method="stripe", reference="pi_1", received_on=date(2026, 1, 1))
    ),
    "billing.letters.begin": Finds(by(document_id="<invoice_id>")),
    "billing.letters.due": Shows(("invoice_id",)),
    "billing.letters.end": Finds(by(document_id="<invoice_id>")),
    "billing.profiles.profile": Shows(),
    "billing.profiles.set_address": Shows(arguments=by(said=Address(city="Berlin"))),
    "billing.profiles.taxes": Shows(),
    "billing.redeeming.coupons_of": Shows(arguments=lambda names, member: {"month": this_month()}),
    "billing.redeeming.taken_up": Shows(),
    "billing.redeeming.codes_in": Shows(arguments=lambda names, member: {"month": this_month()}),
    "billing.redeeming.redeem": Shows(arguments=by(code="WELCOME")),
    "billing.subscriptions.change": Shows(
        arguments=lambda names, member: {"plan": PAY_AS_YOU_GO.name, "at": clock.now()}
    ),
    "billing.subscriptions.offered": Shows(),
    "billing.subscriptions.preview": Shows(arguments=by(plan=PAY_AS_YOU_GO.name)),
    "billing.subscriptions.stays": Shows(),
    "billing.names.names": Shows(
        ("job_id", "model_version_id", "model_name"),
        lambda names, member: {"subjects": [names.job_id, names.model_version_id]},
    ),
    "billing.service.draft_invoice": Shows(
        ("model_version_id",), lambda names, member: {"month": this_month()}
    ),
    "billing.credits.grant_trial": Shows(),
    "billing.service.invoice": Finds(by(number_or_id="<invoice_number>")),
    "billing.service.invoices": Shows(("invoice_id", "model_version_id")),
    "billing.service.line_events": Finds(by("line_key", reference="<invoice_number>")),
    "billing.service.month_charges": Shows(arguments=lambda names, member: {"month": this_month()}),
    "billing.service.month_spend": Shows(),
    "billing.credits.on_trial": Shows(),
    "billing.quoting.generation_charge": Shows(arguments=by(tokens=1)),
    "billing.quoting.predictions_charge": Shows(arguments=by(texts=1)),
    "billing.quoting.quote": Shows(arguments=by(seconds_low=1, seconds_high=2, device_class="cpu")),
    "billing.budgets.require_funds": Shows(arguments=by(needed=FREE, reserved=NO_MONEY)),
    "billing.service.spend_by_day": Shows(),
    "billing.service.statement": Finds(by(reference="<invoice_number>")),
    "billing.quoting.training_charge": Shows(arguments=by(seconds=Decimal(1), device_class="cpu")),
}

# Not walked, and why.
_ROW = "takes a row, which nobody finds but its own workspace"
EXEMPT = {
    "accounts.keys.require_usage_key": "looks at the caller's own key, and shows nothing of it",
    "billing.drafting.known_until": _ROW,
    "billing.notes.notes_of": _ROW,
    "billing.dunning.letter": _ROW,
    "billing.dunning.note_reminder": "the worker's; its foreign key names the workspace",
    "billing.monitor.standing": _ROW,
    "billing.owing.outstanding": _ROW,
    "billing.owing.owed_at_most": _ROW,
    "billing.owing.received": _ROW,
    "proof.gathering.terms": _ROW,
    "billing.subscriptions.subscribe": "refuses whoever has a plan, as both here have",
    "registry.service.publish": "the worker's; a test below shows that a foreign job cannot be named",
}


def walked() -> dict[str, Callable[..., Any]]:
    """Every public function whose parameters begin with (session, member), by its module and name."""
    found = {}
    for name in modules():
        for attribute, value in vars(import_module(name)).items():
            if not inspect.isfunction(value) or attribute.startswith("_") or value.__module__ != name:
                continue
            if list(inspect.signature(value).parameters)[:2] == ["session", "member"]:
                found[f"{name.removeprefix('services.')}.{attribute}"] = value
    return found


def modules() -> Iterator[str]:
    for module in pkgutil.walk_packages(services.__path__, "services."):
        if module.name.split(".")[1] in DOMAINS:
            yield module.name


FUNCTIONS = walked()


@contextmanager
def undone(session: Session) -> Iterator[None]:
    savepoint = session.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()
        session.expire_all()


@pytest.fixture
def world(session: Session, tmp_path: Path) -> World:
    return create_world(session, tmp_path)


@pytest.fixture
def stranger(session: Session, world: World) -> Member:
    stranger = factories.create_member(session)
    billing.grant_trial(session, stranger)
    ada = Staff(user_id="ada", role=StaffRole.admin)
    make_coupon(session, ada, code="WELCOME", terms=Terms(title="Welcome", percent=Decimal(10)))
    return stranger


def refusal(function: Callable[..., Any], session: Session, member: Member, names: Names, case: Finds) -> str:
    with undone(session), pytest.raises(NotFound) as refused:
        function(session, member, **case.arguments(names, member))
    sentence = f"{refused.value.code}: {refused.value.message}"
    for name in names.all:
        sentence = sentence.replace(name, "…")
    return sentence


def test_every_function_of_a_member_is_walked() -> None:
    assert set(FUNCTIONS) - set(CASES) - set(EXEMPT) == set(), "give these a case"
    assert (set(CASES) | set(EXEMPT)) - set(FUNCTIONS) == set(), "these are gone"


def test_a_foreign_id_is_as_unknown_as_a_made_up_one(
    session: Session, world: World, stranger: Member, subtests: pytest.Subtests
) -> None:
    for name, case in sorted(CASES.items()):
        if isinstance(case, Shows):
            continue
        with subtests.test(name):
            foreign = refusal(FUNCTIONS[name], session, stranger, world.names, case)
            made_up = refusal(FUNCTIONS[name], session, stranger, guesses(), case)

            assert foreign == made_up
            with undone(session):
                found_by_its_own(FUNCTIONS[name], session, world, case)


def found_by_its_own(function: Callable[..., Any], session: Session, world: World, case: Finds) -> None:
    try:
        function(session, world.member, **case.arguments(world.names, world.member))
    except NotFound:
        raise
    except ServiceError:
        pass  # found, and refused for what it is: a data set in use cannot be deleted


def test_nothing_foreign_is_shown(
    session: Session, world: World, stranger: Member, subtests: pytest.Subtests
) -> None:
    for name, case in sorted(CASES.items()):
        if isinstance(case, Finds):
            continue
        with subtests.test(name):
            arguments = case.arguments(world.names, stranger)
            given = repr(arguments)
            with undone(session):
                shown = repr(FUNCTIONS[name](session, stranger, **arguments))
            assert [value for value in world.names.all if value in shown and value not in given] == []

            with undone(session):
                control = repr(
                    FUNCTIONS[name](session, world.member, **case.arguments(world.names, world.member))
                )
            assert [field for field in case.sees if getattr(world.names, field) not in control] == []


def test_a_model_cannot_be_published_for_a_foreign_job(
    session: Session, world: World, stranger: Member
) -> None:
    with undone(session), pytest.raises(IntegrityError):
        registry.publish(
            session,
            stranger,
            name="mine",
            job_id=world.names.job_id,
            labels=["card", "rate"],
            report=create_report(),
            artefact=registry.Artefact(prefix="prefix", manifest={}, bytes=1),
        )
