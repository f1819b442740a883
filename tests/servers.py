"""Real servers for tests, in a thread of the test's own process."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

import pytest
import uvicorn

from services.config import settings


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an ASGI app on a free port; gives its address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def serving_mail(
    handler: type[StreamRequestHandler], monkeypatch: pytest.MonkeyPatch, *, security: str
) -> Iterator[None]:
    """A mail server, to which the settings send letters; `security` is their TUNEPORT_SMTP_SECURITY."""
    with ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("TUNEPORT_SMTP_HOST", "127.0.0.1")
        monkeypatch.setenv("TUNEPORT_SMTP_PORT", str(server.server_address[1]))
        monkeypatch.setenv("TUNEPORT_SMTP_SECURITY", security)
        monkeypatch.setenv("TUNEPORT_SMTP_FROM", "billing@tuneport.example")
        settings.cache_clear()
        yield
        server.shutdown()
