"""A customer, and a mail server that keeps what it gets."""

from collections.abc import Iterator
from socketserver import StreamRequestHandler

import pytest

from services.accounts.scope import Member
from tests.servers import serving_mail
from tests.services.worker.working import create_customer


@pytest.fixture
def customer(live_database: str) -> Member:
    """An owner of a workspace on trial; one worker is there."""
    return create_customer()


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    letters: list[str] = []

    class Mailbox(StreamRequestHandler):
        """As much of a mail server as a letter needs."""

        def handle(self) -> None:
            self._say("220 here")
            while line := self.rfile.readline().decode().strip():
                if line.upper() == "DATA":
                    self._say("354 go on")
                    letter = b""
                    while not letter.endswith(b"\r\n.\r\n"):
                        letter += self.rfile.readline()
                    letters.append(letter.decode())
                self._say("221 bye" if line.upper() == "QUIT" else "250 well")

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    with serving_mail(Mailbox, monkeypatch, security="none"):
        yield letters
