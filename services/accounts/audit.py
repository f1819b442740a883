"""The audit log: who did what to what."""

from typing import Any

from sqlmodel import Session

from services import db
from services.accounts.scope import Member, Staff
from services.accounts.tables import AuditEntry

SYSTEM = "system"


def record(
    session: Session,
    actor: Member | Staff | str,
    action: str,
    subject: str,
    *,
    tenant_id: str | None = None,
    **detail: Any,
) -> None:
    """Add an entry within the present transaction, so that a deed and its record stand or fall together.

    `action` is noun and past participle (`api_key.created`), `subject` an id, `detail` JSON-able and never
    a secret. A member's entry belongs to the member's tenant; others name theirs in `tenant_id`.
    """
    if isinstance(actor, Member):
        tenant_id = actor.tenant_id
        who = actor.user_id or actor.key_id or SYSTEM
    elif isinstance(actor, Staff):
        who = actor.user_id
    else:
        who = actor
    db.insert(
        session, AuditEntry(tenant_id=tenant_id, actor=who, action=action, subject=subject, detail=detail)
    )
