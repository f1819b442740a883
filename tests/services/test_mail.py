"""Letters leave by the operator's mail server, or say why not."""

import threading
from collections.abc import Iterator
from socketserver import StreamRequestHandler

import pytest

from services import mail
from services.mail import NoMail
from tests.servers import serving_mail


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A mail server that knows no STARTTLS, and whether its caller has hung up."""
    left = threading.Event()

    class WithoutEncryption(StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 here\r\n")
            while said := self.rfile.readline():
                self.wfile.write(b"221 bye\r\n" if said == b"QUIT\r\n" else b"250 so be it\r\n")
            left.set()

    with serving_mail(WithoutEncryption, monkeypatch, security="starttls"):
        yield left


def test_a_server_that_cannot_encrypt_gets_no_letter_and_is_left(left: threading.Event) -> None:
    with pytest.raises(NoMail, match="STARTTLS"):
        mail.send(to=["bo@acme.example"], subject="Invoice", text="It is enclosed.")

    assert left.wait(10)
