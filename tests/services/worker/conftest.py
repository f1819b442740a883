"""A customer, and a mail server that keeps what it gets."""

import socketserver
import threading
from collections.abc import Iterator

import pytest

from services.accounts.scope import Member
from services.config import settings
from tests.services.worker.working import create_customer


@pytest.fixture
def customer(live_database: str) -> Member:
    """An owner of a workspace on trial; one worker is there."""
    return create_customer()


class _Mailbox(socketserver.StreamRequestHandler):
    """As much of a mail server as a letter needs."""

    def handle(self) -> None:
        self._say("220 here")
        while line := self.rfile.readline().decode().strip():
            if line.upper() == "DATA":
                self._say("354 go on")
                letter = b""
                while not letter.endswith(b"\r\n.\r\n"):
                    letter += self.rfile.readline()
                self.server.letters.append(letter.decode())  # type: ignore[attr-defined]
            self._say("221 bye" if line.upper() == "QUIT" else "250 well")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mailbox) as server:
        server.letters = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("TUNEPORT_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("TUNEPORT_SMTP_PORT", str(server.server_address[1]))
        monkeypatch.setenv("TUNEPORT_SMTP_SECURITY", "none")
        monkeypatch.setenv("TUNEPORT_SMTP_FROM", "billing@tuneport.example")
        settings.cache_clear()
        yield server.letters  # type: ignore[attr-defined]
        server.shutdown()
