"""Files for people to keep: a route of ours behind short-lived links, never Streamlit's open file store.

A link names one file of one workspace and is tied to the browser it was made for. Following it still takes
that browser to be signed in and its person to be in the workspace; all else is the same *not found*.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.parse import quote

from itsdangerous import BadData, URLSafeSerializer
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from portal import session
from portal.guard import SIGN_IN_HEADER
from services import clock
from services.accounts import secrets, sign_ins
from services.accounts import service as accounts
from services.accounts.scope import Member, Staff, StaffRole
from services.billing import notes, partners
from services.billing import service as billing
from services.billing.partners import Statement
from services.billing.period import Month
from services.datasets import files
from services.datasets import service as datasets
from services.datasets.files import ExportKind
from services.datasets.tables import DatasetVersion
from services.db import reading
from services.documents import usage_csv
from services.documents.files import Document, Kind, document, name_of
from services.documents.statement import statement_csv, statement_pdf
from services.errors import NotFound, ServiceError
from services.metering import service as metering
from services.proof import service as proof
from services.registry import exports
from services.registry.exports import ExportFormat

LINK_LIFE = timedelta(minutes=5)
# In the place of a workspace, in links to what is no workspace's.
_NOBODYS = ""


@dataclass(frozen=True)
class File:
    """What a person gets."""

    name: str
    media_type: str
    content: bytes = b""
    # Where it lies, if it is too large to be held.
    path: Path | None = None


def download_url(kind: str, subject: str) -> str:
    """A link to a file of the chosen workspace, for the next minutes and for this browser alone.

    `kind` and its `subject`: "invoice-" with a `Kind` of document or "bundle" (an invoice's number or id, or
    a month such as 2026-11), "credit-note-" with a `Kind` (its number or id), "usage-csv" (a month),
    "rejected-rows", "rows-csv", "rows-jsonl" and "rows-conll" (the id of a data set version), or
    "model-safetensors", "model-onnx", "model-card" (that of a model version). Pages show it with
    `components.download_link`.
    """
    return signed_link(kind, subject, tenant_id=session.member().tenant_id, secret=session.token())


def staff_download_url(kind: str, subject: str) -> str:
    """The same for operators: "statement-pdf" and "statement-csv" (a partner's id, a dot, a month)."""
    return signed_link(kind, subject, tenant_id=_NOBODYS, secret=session.token())


def signed_link(kind: str, subject: str, *, tenant_id: str, secret: str) -> str:
    """The link for a browser whose sign-in has this secret."""
    return f"/download/{quote(kind)}/{quote(subject)}?link={seal(kind, subject, tenant_id, secret)}"


def seal(kind: str, subject: str, tenant_id: str, secret: str) -> str:
    """What a link carries, so that it opens one thing, for a while, in one browser."""
    until = int((clock.now() + LINK_LIFE).timestamp())
    link = _serializer().dumps([kind, subject, tenant_id, browser_of(secret), until])
    return link if isinstance(link, str) else link.decode()


def download(request: Request) -> Response:
    """The route `/download/{kind}/{subject}`."""
    try:
        file = _file(request)
    except (ServiceError, BadData):
        return PlainTextResponse(
            "This link leads nowhere, or no longer. Go back to the page and press the button again.",
            status_code=404,
            headers={"Cache-Control": "no-store"},
        )
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
    }
    if file.path is not None:
        return FileResponse(file.path, media_type=file.media_type, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)


def _file(request: Request) -> File:
    kind, subject = request.path_params["kind"], request.path_params["subject"]
    tenant_id, secret = _followed(request, kind, subject)
    if kind in _STAFF_KINDS:
        return _STAFF_KINDS[kind](operator_of(secret), subject)
    member = member_of(secret, tenant_id)
    if kind not in _KINDS:
        raise NotFound("file")
    return _KINDS[kind](member, subject)


def whoever_follows(request: Request, kind: str, subject: str) -> Member:
    """The person who follows a link to this thing, in the browser that it was made for.

    Raises:
        NotFound, BadData: it is not, or no longer, a link to it.
    """
    tenant_id, secret = _followed(request, kind, subject)
    return member_of(secret, tenant_id)


def _followed(request: Request, kind: str, subject: str) -> tuple[str, str]:
    """The workspace of a good link, and the browser's secret."""
    secret = request.headers.get(SIGN_IN_HEADER, "")
    named_kind, named_subject, tenant_id, browser, until = _serializer().loads(
        request.query_params.get("link", "")
    )
    meant = (kind, subject, browser_of(secret)) == (named_kind, named_subject, browser)
    if not meant or clock.now().timestamp() >= until:
        raise NotFound("file")
    return tenant_id, secret


def operator_of(secret: str) -> Staff:
    """The person whose browser has this secret, as an operator.

    Raises:
        NotFound: nobody is signed in there, or none.
    """
    with reading() as db:
        user = sign_ins.person(db, secret)
        found = accounts.staff(db, user) if user is not None and user.disabled_at is None else None
    if found is None or found.role is not StaffRole.admin:
        raise NotFound("file")
    return found


def member_of(secret: str, tenant_id: str) -> Member:
    """The person whose browser has this secret, in one of their workspaces.

    Raises:
        NotFound: nobody is signed in there, or not in this workspace.
    """
    with reading() as db:
        user = sign_ins.person(db, secret)
        workspaces = accounts.memberships(db, user) if user is not None and user.disabled_at is None else []
    for tenant, role in workspaces:
        if user is not None and tenant.id == tenant_id:
            return Member(tenant_id=tenant_id, role=role, user_id=user.id)
    raise NotFound("file")


def _invoice(kind: Kind, member: Member, reference: str) -> File:
    with reading() as db:
        shown = billing.statement(db, member, reference=reference)
    made = document(shown, kind)
    return File(made.name, made.media_type, made.content)


def _credit_note(kind: Kind, member: Member, number: str) -> File:
    with reading() as db:
        shown = notes.credit_note(db, member, number_or_id=number)
    made = document(shown, kind)
    return File(made.name, made.media_type, made.content)


def _invoice_bundle(member: Member, reference: str) -> File:
    file = io.BytesIO()
    with reading() as db:
        proof.export(db, member, reference=reference, into=file)
        shown = billing.statement(db, member, reference=reference)
    return File(f"{name_of(shown)}.zip", "application/zip", file.getvalue())


def _usage(member: Member, reference: str) -> File:
    month = Month.parse(reference)
    with reading() as db:
        rows = metering.breakdown(db, member, first=month.first, last=month.last)
        named = usage_csv.names(db, member, rows)
    return File(f"usage-{month}.csv", "text/csv; charset=utf-8", usage_csv.csv_of(rows, named))


def _statement(made: Callable[[Statement], Document], staff: Staff, subject: str) -> File:
    partner_id, _, month = subject.rpartition(".")
    with reading() as db:
        told = partners.statement(db, staff, partner_id=partner_id, month=Month.parse(month))
    file = made(told)
    return File(file.name, file.media_type, file.content)


def _rejected_rows(member: Member, version_id: str) -> File:
    name, version = _version(member, version_id)
    return File(f"{name} rejected rows.csv", "text/csv; charset=utf-8", files.rejected(version))


def _rows(kind: ExportKind, member: Member, version_id: str) -> File:
    name, version = _version(member, version_id)
    return File(f"{name}.{kind}", _MEDIA_TYPES[kind], files.exported(version, kind))


def _model(kind: ExportFormat, member: Member, version_id: str) -> File:
    name, path = exports.export(member, version_id=version_id, kind=kind)
    return File(name, "application/zip", path=path)


def _model_card(member: Member, version_id: str) -> File:
    card = exports.card_of(member, version_id=version_id)
    return File("model-card.md", "text/markdown; charset=utf-8", card.encode())


def _version(member: Member, version_id: str) -> tuple[str, DatasetVersion]:
    with reading() as db:
        version = datasets.get_version(db, member, version_id=version_id)
        dataset = datasets.get(db, member, dataset_id=version.dataset_id)
    return f"{dataset.name} v{version.number}", version


_MEDIA_TYPES = {
    ExportKind.csv: "text/csv; charset=utf-8",
    ExportKind.jsonl: "application/x-ndjson",
    ExportKind.conll: "text/plain; charset=utf-8",
}
_KINDS: dict[str, Callable[[Member, str], File]] = {
    **{f"invoice-{kind}": partial(_invoice, kind) for kind in Kind},
    **{f"credit-note-{kind}": partial(_credit_note, kind) for kind in Kind},
    "invoice-bundle": _invoice_bundle,
    "usage-csv": _usage,
    "rejected-rows": _rejected_rows,
    "model-card": _model_card,
    **{f"model-{kind}": partial(_model, kind) for kind in ExportFormat},
    **{f"rows-{kind}": partial(_rows, kind) for kind in ExportKind},
}


_STAFF_KINDS: dict[str, Callable[[Staff, str], File]] = {
    "statement-pdf": partial(_statement, lambda told: statement_pdf(told, day=clock.now().date())),
    "statement-csv": partial(_statement, statement_csv),
}


def browser_of(secret: str) -> str:
    """By what a link knows the browser it was made for."""
    return secrets.digest(f"download link of {secret}")[:32]


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(secrets.digest("download links"))
