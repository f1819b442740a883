"""A TCP proxy before Postgres that misbehaves as networks do: cuts, delays, black holes, lost answers."""

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Self

from sqlalchemy.engine import make_url

# A COMMIT travels alone in its message, as text that ends in a zero byte, whichever protocol carries it.
_COMMIT = b"COMMIT\x00"
_CHUNK = 1 << 16


class Proxy:
    """Stands between the clients of `proxy.url` and the server of `url`, whose socket is a Unix one."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._book = threading.Lock()
        self._commits_to_lose = 0
        # Seconds that each answer waits, and whether answers are swallowed while connections stay open.
        self.delay = 0.0
        self.half_open = False
        # Commits that were carried out and whose answer nobody got.
        self.commits_lost = 0

    @property
    def url(self) -> str:
        """The same database, by way of this proxy."""
        host, port = self._listener.getsockname()
        through = self._url.set(host=host, port=port, query={"sslmode": "disable", "gssencmode": "disable"})
        return through.render_as_string(hide_password=False)

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A close alone would not wake the thread that waits in accept.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """End all connections at once; new ones are let through."""
        with self._book:
            connections, self._open = self._open, set()
        for connection in connections:
            _close(connection)

    def lose_commits(self, number: int) -> None:
        """Carry out the next commits, and end their connections before anybody hears of it."""
        with self._book:
            self._commits_to_lose = number

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                server.connect(f"{self._url.query['host']}/.s.PGSQL.{self._url.port or 5432}")
            except OSError:
                _close(client)
                _close(server)
                continue
            connection = _Connection(self, client, server)
            with self._book:
                self._open |= {client, server}
            for pump in (connection.ask, connection.answer):
                threading.Thread(target=pump, daemon=True).start()

    def _may_lose(self) -> bool:
        with self._book:
            if not self._commits_to_lose:
                return False
            self._commits_to_lose -= 1
            return True

    def _forget(self, *connections: socket.socket) -> None:
        with self._book:
            self._open -= set(connections)


class _Connection:
    """One client's connection: a thread for each direction."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._losing = False

    def ask(self) -> None:
        """Carry what the client says."""
        with suppress(OSError):
            while asked := self._client.recv(_CHUNK):
                if _COMMIT in asked and self._proxy._may_lose():
                    self._losing = True
                self._server.sendall(asked)
        self._end()

    def answer(self) -> None:
        """Carry what the server says, as far as the proxy lets it through."""
        with suppress(OSError):
            while answered := self._server.recv(_CHUNK):
                if self._losing:
                    self._proxy.commits_lost += 1
                    break
                if self._proxy.delay:
                    time.sleep(self._proxy.delay)
                if not self._proxy.half_open:
                    self._client.sendall(answered)
        self._end()

    def _end(self) -> None:
        self._proxy._forget(self._client, self._server)
        _close(self._client)
        _close(self._server)


def _close(connection: socket.socket) -> None:
    # A close alone would not wake the thread that waits in recv.
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
