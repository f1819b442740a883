"""Bundles that somebody changed, and what verifying them finds."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

from sqlmodel import Session

from services.accounts.scope import Member
from services.billing import closing
from services.billing.period import Month
from services.billing.tables import Invoice
from services.proof import service as proof
from services.proof.bundle import opened
from services.proof.fault import Fault
from services.proof.verify import verify
from tests.services.billing.factories import Clock, travel


def closed(session: Session, clock: Clock, member: Member, month: Month) -> Invoice:
    """The invoice of a month, made on the second day of the next one."""
    after = month.next
    travel(clock, f"{after.year}-{after.month:02d}-02T00:00")
    made = closing.finalise(session, member, month=month)
    assert made is not None
    return made


def faults(
    session: Session,
    member: Member,
    invoice: Invoice,
    change: Callable[[dict[str, Any]], object] = lambda told: None,
) -> list[Fault]:
    """What is wrong with an invoice's bundle once `invoice.json` is changed."""
    file, changed = io.BytesIO(), io.BytesIO()
    proof.export(session, member, reference=invoice.number, into=file)
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(changed, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "invoice.json":
                told = json.loads(content)
                change(told)
                content = json.dumps(told).encode()
            target.writestr(name, content)
    with opened(changed) as bundle:
        return verify(bundle).faults
