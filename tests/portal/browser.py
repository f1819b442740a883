"""A browser without a screen: cookies over httpx, pages over Streamlit's websocket."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import urljoin

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

XSRF = "_streamlit_xsrf"
PATIENCE_SECONDS = 60


@dataclass
class Shown:
    """What a page showed: its words, its buttons (label -> widget id), and where it sent the browser."""

    words: list[str] = field(default_factory=list)
    buttons: dict[str, str] = field(default_factory=dict)
    redirect: str | None = None

    def add(self, message: ForwardMsg) -> None:
        if message.WhichOneof("type") == "auth_redirect":
            self.redirect = message.auth_redirect.url
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if kind in {"markdown", "alert"}:
            self.words.append(getattr(element, kind).body)
        elif kind == "heading":
            self.words.append(element.heading.body)
        elif kind == "button":
            self.buttons[element.button.label] = element.button.id

    @property
    def text(self) -> str:
        return "\n".join(self.words)


class Tab:
    """One open page, until it is closed."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    def run(self, *, click: str | None = None) -> Shown:
        """Run the page, with a press on the button of this widget id."""
        message = BackMsg()
        message.rerun_script.query_string = ""
        if click is not None:
            state = message.rerun_script.widget_states.widgets.add()
            state.id = click
            state.trigger_value = True
        self._socket.send(message.SerializeToString())
        shown = Shown()
        while True:
            answer = ForwardMsg.FromString(self._socket.recv(timeout=PATIENCE_SECONDS))
            shown.add(answer)
            if answer.WhichOneof("type") == "script_finished":
                return shown


class Browser(ExitStack):
    """Cookies and tabs of one person, until it is closed; people sign in and out at their provider."""

    def __init__(self, address: str, cookies: dict[str, str] | None = None) -> None:
        super().__init__()
        self.address = address
        self.http = self.enter_context(
            httpx.Client(base_url=address, follow_redirects=False, timeout=PATIENCE_SECONDS)
        )
        self.answers: list[httpx.Response] = []
        if cookies is None:
            self.get("/_stcore/health")
        else:
            self.http.cookies.update(cookies)

    def get(self, url: str) -> httpx.Response:
        answer = self.http.get(url)
        self.answers.append(answer)
        return answer

    def open(self) -> Tab:
        cookies = "; ".join(f"{name}={value}" for name, value in self.http.cookies.items())
        socket = connect(
            self.address.replace("http", "ws", 1) + "/_stcore/stream",
            origin=self.address,  # type: ignore[arg-type]
            subprotocols=["streamlit", self.http.cookies[XSRF]],  # type: ignore[list-item]
            additional_headers={"Cookie": cookies},
            max_size=None,
        )
        return Tab(self.enter_context(socket))

    def sign_in(self, subject: str) -> None:
        tab = self.open()
        door = tab.run()
        [button] = door.buttons.values()
        redirect = tab.run(click=button).redirect
        assert redirect is not None
        provider = self.get(redirect).headers["location"]
        agreed = httpx.post(provider, data={"sub": subject}, timeout=PATIENCE_SECONDS)
        answer = self.get(agreed.headers["location"])
        assert answer.status_code == 302

    def sign_out(self, tab: Tab, shown: Shown) -> None:
        redirect = tab.run(click=shown.buttons[""]).redirect
        assert redirect is not None
        self.get(urljoin(self.address, redirect))

    def copy(self) -> "Browser":
        return self.enter_context(Browser(self.address, dict(self.http.cookies)))
