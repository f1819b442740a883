"""The running product: `tuneport demo` as a newcomer starts it, and a browser in front of it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from services.cli.processes import tuneport

READY_SECONDS = 120
STOP_SECONDS = 30
STEP_MS = 60_000
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Demo:
    """Where a running demo answers, and what it printed."""

    portal: str
    api: str
    home: Path
    environment: dict[str, str]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_demo(home: Path) -> Iterator[Demo]:
    """Start the demo, go on when it says that it is ready, end it as Ctrl-C does."""
    portal, api, provider = free_port(), free_port(), free_port()
    ports = ["--portal-port", str(portal), "--api-port", str(api), "--idp-port", str(provider)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TUNEPORT_")}
    home.mkdir(parents=True, exist_ok=True)
    said = home / "demo.log"
    with said.open("wb") as log:
        demo = subprocess.Popen(
            tuneport("demo", "--home", str(home), *ports, "--no-browser"),
            stdout=log,
            stderr=log,
            env=environment | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + READY_SECONDS
        while "is ready" not in said.read_text():
            assert demo.poll() is None, said.read_text()
            assert time.monotonic() < deadline, said.read_text()
            time.sleep(0.2)
        yield Demo(
            portal=f"http://localhost:{portal}",
            api=f"http://localhost:{api}",
            home=home,
            environment=environment | {"TUNEPORT_HOME": str(home)},
        )
    finally:
        demo.send_signal(signal.SIGINT)
        try:
            demo.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(demo.pid, signal.SIGKILL)
            raise


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(CHROMIUM_FLAGS)
        )
        yield browser
        browser.close()


def sign_in(page: Page, demo: Demo, subject: str) -> None:
    """Through the identity provider's form, to the portal's home page."""
    page.set_default_timeout(STEP_MS)
    page.goto(demo.portal)
    page.get_by_role("button", name=re.compile("Continue with")).click()
    page.locator("input[name=sub]").fill(subject)
    page.get_by_role("button", name=re.compile("authorize", re.I)).click()
    page.get_by_test_id("stSidebar").wait_for()
    settle(page)


def settle(page: Page) -> None:
    """Until the page has finished running and every part of it is drawn."""
    page.wait_for_timeout(300)
    page.wait_for_function(
        """() => {
            const app = document.querySelector('[data-testid="stApp"]')
            return app && app.dataset.testScriptState === 'notRunning'
                && !document.querySelector('[data-testid="stSkeleton"]')
        }"""
    )
    page.wait_for_timeout(500)


def open_page(page: Page, title: str) -> None:
    """Choose a page in the sidebar, once the page before it stands: a click in between is lost."""
    settle(page)
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=title, exact=True).click()
    page.get_by_role("heading", name=title, exact=True).first.wait_for()
    settle(page)
