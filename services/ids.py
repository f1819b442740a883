"""Public ids: what it is, then when it was made and chance (UUIDv7, RFC 9562), so that they sort by age."""

from datetime import datetime

import uuid_utils

PREFIXES = {
    "tenant": "ten",
    "user": "usr",
    "invitation": "inv",
    "key": "key",
    "session": "ses",
    "audit": "aud",
    "upload": "file",
    "upload_session": "upload",
    "upload_part": "part",
    "draft": "dft",
    "dataset": "ds",
    "dataset_version": "dsv",
    "job": "job",
    "worker": "wrk",
    "model": "mdl",
    "model_version": "mv",
    "grant": "crg",
    "subscription": "sub",
    "invoice": "bill",
    "contract": "ctr",
    "credit_note": "cn",
    "payment": "pay",
    "stray_payment": "stray",
    "partner": "par",
    "redemption": "rdm",
    "hold": "hold",
    "request": "req",
}


def new(noun: str) -> str:
    """A fresh id for a noun of PREFIXES, for example `job_0192f5c1…` (prefix and 32 hexadecimal digits)."""
    return f"{PREFIXES[noun]}_{uuid_utils.uuid7().hex}"


def since(noun: str, instant: datetime) -> str:
    """What every id of this noun follows that is made from an instant on: a range of the primary key."""
    return f"{PREFIXES[noun]}_{int(instant.timestamp() * 1000):012x}"
