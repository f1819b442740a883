"""Who may read metrics, and the small server by which a worker tells its own."""

import logging
import secrets
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from threading import Thread

from services import metrics
from services.config import settings

PATH = "/metrics"

log = logging.getLogger(__name__)


def may_read(*, client: str, authorization: str | None, forwarded: bool) -> bool:
    """Whoever sends the token as a bearer; without a token, whoever asks from this very machine.

    `client` is an address, `forwarded` whether a proxy passed the request on for somebody else.
    """
    token = settings().metrics_token.get_secret_value()
    if token:
        return secrets.compare_digest((authorization or "").encode(), f"Bearer {token}".encode())
    return not forwarded and _is_loopback(client)


def serve(port: int) -> ThreadingHTTPServer:
    """Answer GET /metrics from a thread: to every address where a token guards it, else to this machine."""
    everywhere = settings().metrics_token.get_secret_value()
    server = ThreadingHTTPServer(("" if everywhere else "127.0.0.1", port), _Handler)
    Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    log.info("metrics answer on port %s", server.server_port)
    return server


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        allowed = self.path == PATH and may_read(
            client=self.client_address[0],
            authorization=self.headers.get("Authorization"),
            forwarded="X-Forwarded-For" in self.headers,
        )
        body = metrics.text() if allowed else b"Not found\n"
        self.send_response(200 if allowed else 404)
        self.send_header("Content-Type", metrics.CONTENT_TYPE if allowed else "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent: a scrape every few seconds is no news."""


def _is_loopback(client: str) -> bool:
    try:
        return ip_address(client).is_loopback
    except ValueError:
        return False
