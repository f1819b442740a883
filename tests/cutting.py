"""A TCP proxy that breaks connections in the middle of what a client sends."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_CHUNK = 1 << 14


@dataclass
class Cuts:
    """Where the proxy answers, after how many bytes it cuts each connection, and how many it let through."""

    address: str = ""
    after: list[int] = field(default_factory=list)
    passed: int = 0


@contextmanager
def cutting(server: str, *, after: list[int]) -> Iterator[Cuts]:
    """Connections to `server` of which the first are cut, each once the client has sent so many bytes."""
    target = urlsplit(server)
    listener = socket.create_server(("127.0.0.1", 0))
    cuts = Cuts(f"http://127.0.0.1:{listener.getsockname()[1]}", list(after))

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                upstream = socket.create_connection((target.hostname or "", target.port or 80))
                threading.Thread(target=forward, args=(client, upstream), daemon=True).start()
                threading.Thread(target=back, args=(upstream, client), daemon=True).start()

    def forward(client: socket.socket, upstream: socket.socket) -> None:
        sent = 0
        with suppress(OSError), client, upstream:
            while chunk := client.recv(_CHUNK):
                upstream.sendall(chunk)
                sent += len(chunk)
                cuts.passed += len(chunk)
                if cuts.after and sent >= cuts.after[0]:
                    cuts.after.pop(0)
                    upstream.shutdown(socket.SHUT_RDWR)
                    client.shutdown(socket.SHUT_RDWR)
                    return

    def back(upstream: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while chunk := upstream.recv(_CHUNK):
                client.sendall(chunk)

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield cuts
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
