"""A workspace in which there is one of everything, for tests that knock at it from another."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from sqlmodel import Session

from services import clock, ids
from services.accounts import keys, team
from services.accounts.scope import Member, Role, Staff, StaffRole
from services.billing import crediting
from services.billing import service as billing
from services.billing.money import Money
from services.billing.period import Month
from services.billing.tables import InvoiceLetter
from services.datasets import files, uploading
from services.datasets import service as datasets
from services.datasets.detection import detect
from services.jobs.tables import JobEvent
from services.metering import service as metering
from services.metering import usage
from services.registry import service as registry
from services.training.process.events import EventKind, Phase
from tests import factories
from tests.services.registry.test_service import create_artefact, create_report

CSV = b"text,label\n" + b"".join(
    b"where is my card %d,card\nwhat is the rate %d,rate\n" % (number, number) for number in range(12)
)


@dataclass(frozen=True)
class Names:
    """What callers name things by; a stranger's guess has the same fields."""

    user_id: str
    invitation_id: str
    key_id: str
    upload_id: str
    upload_session_id: str
    dataset_id: str
    dataset_version_id: str
    job_id: str
    model_id: str
    model_name: str
    model_version_id: str
    event_id: str
    invoice_number: str
    invoice_id: str
    credit_note_number: str
    line_key: str
    idempotency_key: str

    @property
    def all(self) -> list[str]:
        return list(asdict(self).values())


@dataclass(frozen=True)
class World:
    member: Member
    secret: str
    names: Names
    month: Month


def guesses() -> Names:
    """Names of the right form that nothing has."""
    return Names(
        user_id=ids.new("user"),
        invitation_id=ids.new("invitation"),
        key_id=ids.new("key"),
        upload_id=ids.new("upload"),
        upload_session_id=ids.new("upload_session"),
        dataset_id=ids.new("dataset"),
        dataset_version_id=ids.new("dataset_version"),
        job_id=ids.new("job"),
        model_id=ids.new("model"),
        model_name=f"model-{ids.new('model')[4:]}",
        model_version_id=ids.new("model_version"),
        event_id=f"req:{ids.new('request')}",
        invoice_number=f"TP-1999-{ids.new('invoice')[-6:]}",
        invoice_id=ids.new("invoice"),
        credit_note_number=f"TP-CN-1999-{ids.new('invoice')[-6:]}",
        line_key=f"predictions:pay-as-you-go.v1:2026-01-01:{ids.new('model_version')}",
        idempotency_key=ids.new("request"),
    )


def create_world(session: Session, folder: Path, *, model: Path | None = None) -> World:
    """One of everything, of an owner; last month is closed. `model` is a model folder that can predict."""
    member = factories.create_member(session)
    colleague = factories.create_member(session, tenant_id=member.tenant_id, role=Role.editor)
    tenant_id = member.tenant_id
    key, secret = keys.create_key(session, member, name="program")
    invitation = team.invite(session, member, email=f"{ids.new('user')}@example.com", role=Role.viewer)

    with files.store(member, filename="cards.csv", content=CSV) as stored:
        upload = datasets.upload(session, member, stored=stored)
    coming = uploading.begin(session, member, filename="more.csv", size=100, fingerprint="more")
    with files.freeze(member, upload, form=detect(CSV), seed=42) as frozen:
        version = datasets.create(
            session, member, name=datasets.free_name(session, member, wanted="cards"), version=frozen
        )
    idempotency_key = ids.new("request")
    job = factories.create_job(
        session, member, dataset_version_id=version.id, key=idempotency_key, model_name=guesses().model_name
    )
    for position in range(2):
        session.add(
            JobEvent(
                tenant_id=tenant_id,
                job_id=job.id,
                attempt=1,
                position=position,
                at=clock.now(),
                kind=EventKind.phase,
                phase=Phase.training,
            )
        )
    artefact = (
        registry.store(model, tenant_id=tenant_id, job_id=job.id, attempt_id="1")
        if model
        else create_artefact(folder / job.id, job_id=job.id, tenant_id=tenant_id)
    )
    model_version = registry.publish(
        session,
        member,
        name=job.model_name,
        job_id=job.id,
        labels=["card", "rate"],
        report=create_report(),
        artefact=artefact,
    )
    session.flush()

    billing.grant_trial(session, member)
    then = clock.now() - timedelta(days=40)
    events = [
        usage.predictions(
            tenant_id=tenant_id,
            request_id=ids.new("request"),
            model_version_id=model_version.id,
            texts=10_000,
            at=at,
            user_id=member.user_id,
            key_id=key.id,
        )
        for at in (then, clock.now())
    ]
    metering.record(session, events)
    month = Month.of(then, "UTC")
    invoice = billing.close_month(session, member, year=month.year, month=month.month)
    assert invoice is not None
    session.add(InvoiceLetter(tenant_id=tenant_id, invoice_id=invoice.id))
    line = billing.statement(session, member, reference=invoice.number).draft.lines[0]
    ada = Staff(user_id="ada", role=StaffRole.admin)
    note = crediting.credit(
        session, ada, tenant_id=tenant_id, invoice_id=invoice.id, reason="A fault", net=Money(100_000, "EUR")
    )
    names = Names(
        user_id=str(colleague.user_id),
        invitation_id=invitation.id,
        key_id=key.id,
        upload_id=upload.id,
        upload_session_id=coming.id,
        dataset_id=version.dataset_id,
        dataset_version_id=version.id,
        job_id=job.id,
        model_id=model_version.model_id,
        model_name=job.model_name,
        model_version_id=model_version.id,
        event_id=events[1].id,
        invoice_number=invoice.number,
        invoice_id=invoice.id,
        credit_note_number=note.number,
        line_key=line.key,
        idempotency_key=idempotency_key,
    )
    return World(member=member, secret=secret, names=names, month=month)
