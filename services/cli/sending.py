"""Sending a file to the API in parts, which goes on where it stood when the connection broke."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from services import storage
from services.errors import ServiceError

OFFSET = "Upload-Offset"
# One request: at this pace a bar moves, and a broken connection costs little.
PART_BYTES = 4 * 1024 * 1024
_CHUNK = 64 * 1024
# Seconds between attempts without any progress, doubled each time up to the longest.
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
_ATTEMPTS = 8

Progress = Callable[[int], None]


class SendingFailed(ServiceError):
    """The API refused a file, or could not be reached for long."""

    code = "sending_failed"

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason} What has arrived is kept for a day: the same command goes on from there.")


def send(file: Path, client: httpx.Client, *, progress: Progress) -> str:
    """Upload a file and give the id that jobs name it by; `progress` is told the bytes that are there.

    Raises:
        SendingFailed: the API refuses it, or does not answer for a minute or two.
    """
    sha256, size = storage.sha256(file), file.stat().st_size
    begun = _asked(
        client,
        "POST",
        "/v1/uploads",
        json={"filename": file.name, "bytes": size, "purpose": "fine-tune", "fingerprint": sha256},
    ).json()
    address, offset = f"/v1/uploads/{begun['id']}", int(begun["offset"])
    while offset < size:
        progress(offset)
        offset = _next(client, address, file, offset, progress)
    progress(size)
    done = _asked(client, "POST", f"{address}/complete", json={"sha256": sha256}).json()
    found: str = done["file"]["id"]
    return found


def _next(client: httpx.Client, address: str, file: Path, offset: int, progress: Progress) -> int:
    """Send one part; gives where the next begins, which is not far on where the connection broke."""
    try:
        answer = client.patch(address, content=_part(file, offset, progress), headers={OFFSET: str(offset)})
        if answer.is_success:
            return int(answer.headers[OFFSET])
    except httpx.TransportError:
        # What was on its way has to be put away before the offset tells of it.
        time.sleep(_FIRST_WAIT)
    return int(_asked(client, "HEAD", address).headers[OFFSET])


def _part(file: Path, offset: int, progress: Progress) -> Iterator[bytes]:
    with file.open("rb") as content:
        content.seek(offset)
        end = offset + PART_BYTES
        while offset < end and (chunk := content.read(min(_CHUNK, end - offset))):
            yield chunk
            offset += len(chunk)
            progress(offset)


def _asked(client: httpx.Client, method: str, address: str, **request: Any) -> httpx.Response:
    """The answer, asked for again with growing patience while there is none."""
    wait, reason = _FIRST_WAIT, ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
        try:
            answer = client.request(method, address, **request)
        except httpx.TransportError as error:
            reason = f"{client.base_url} cannot be reached ({type(error).__name__})."
            continue
        if answer.is_success:
            return answer
        reason = _reason(answer)
        if answer.status_code < 500:
            break
    raise SendingFailed(reason)


def _reason(answer: httpx.Response) -> str:
    try:
        error = answer.json()["error"]
        return f"{error['message']} ({error['code']})"
    except (ValueError, KeyError):
        return f"The API answered {answer.status_code}."
