"""Letters leave by the operator's mail server, or say why not."""

import socketserver
import threading
from collections.abc import Iterator

import pytest

from services import mail
from services.config import settings
from services.mail import NoMail


class _WithoutEncryption(socketserver.StreamRequestHandler):
    """A mail server that knows no STARTTLS; notes when its caller has hung up."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while said := self.rfile.readline():
            self.wfile.write(b"221 bye\r\n" if said == b"QUIT\r\n" else b"250 so be it\r\n")
        self.server.left.set()  # type: ignore[attr-defined]


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _WithoutEncryption) as server:
        server.left = threading.Event()  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("TUNEPORT_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("TUNEPORT_SMTP_PORT", str(server.server_address[1]))
        monkeypatch.setenv("TUNEPORT_SMTP_SECURITY", "starttls")
        monkeypatch.setenv("TUNEPORT_SMTP_FROM", "billing@tuneport.example")
        settings.cache_clear()
        yield server.left  # type: ignore[attr-defined]
        server.shutdown()


def test_a_server_that_cannot_encrypt_gets_no_letter_and_is_left(left: threading.Event) -> None:
    with pytest.raises(NoMail, match="STARTTLS"):
        mail.send(to=["bo@acme.example"], subject="Invoice", text="It is enclosed.")

    assert left.wait(10)
