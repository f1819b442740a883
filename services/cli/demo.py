"""`tuneport demo`: the whole product on one machine."""

import json
import os
import signal
import sys
import threading
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from services.cli.processes import Together, require_free, tuneport
from services.config import settings
from services.demo import PEOPLE, seed
from services.migrations.upgrade import upgrade


def demo(
    home: Annotated[
        Path | None, typer.Option(help="Where everything is kept; TUNEPORT_HOME if left out.")
    ] = None,
    portal_port: Annotated[int, typer.Option(help="Port of the portal.")] = 8501,
    api_port: Annotated[int, typer.Option(help="Port of the API.")] = 8000,
    idp_port: Annotated[int, typer.Option(help="Port of the development identity provider.")] = 9400,
    browser: Annotated[bool, typer.Option(help="Open the portal in the browser.")] = True,
) -> None:
    """Everything on this machine: portal, API, worker, an identity provider, a workspace to try."""
    for port, option in ((portal_port, "--portal-port"), (api_port, "--api-port"), (idp_port, "--idp-port")):
        require_free(port, option)
    portal_url = f"http://localhost:{portal_port}"
    os.environ |= {
        "TUNEPORT_HOME": str((home or settings().home).resolve()),
        "TUNEPORT_PORTAL_URL": portal_url,
        "TUNEPORT_API_URL": f"http://localhost:{api_port}",
        "TUNEPORT_OIDC_TITLE": "the demo’s identity provider",
        "TUNEPORT_OIDC_METADATA_URL": f"http://localhost:{idp_port}/.well-known/openid-configuration",
        "TUNEPORT_OIDC_CLIENT_ID": "tuneport-demo",
        "TUNEPORT_OIDC_CLIENT_SECRET": "tuneport-demo-secret",
    }
    settings.cache_clear()
    upgrade()
    seed()

    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    processes = Together(settings().home / "logs")
    try:
        processes.start("identity-provider", _identity_provider(idp_port))
        processes.start("api", tuneport("serve", "api", "--port", str(api_port)))
        processes.start("worker", tuneport("serve", "worker"))
        processes.start("portal", tuneport("serve", "portal", "--port", str(portal_port)))
        processes.wait_until_answering("portal", f"{portal_url}/healthz")
        processes.wait_until_answering("api", f"{settings().api_url}/healthz")
        if not stop.is_set():
            _greet(portal_url)
            if browser:
                webbrowser.open(portal_url)
        while not stop.wait(1):
            processes.check()
    finally:
        typer.echo("Stopping …")
        processes.stop()


def _identity_provider(port: int) -> list[str]:
    command = [str(Path(sys.executable).with_name("oidc-provider-mock")), "--port", str(port)]
    for person in PEOPLE:
        command += ["--user-claims", json.dumps(person.claims)]
    return command


def _greet(portal_url: str) -> None:
    typer.echo(f"\n  Tuneport is ready: {portal_url}\n")
    typer.echo("  Sign in with one of these names:")
    for person in PEOPLE:
        typer.echo(f"    {person.subject:<6} {person.name} – {person.role}")
    typer.echo(f"\n  Kept in {settings().home}; Ctrl-C ends it.\n", nl=True)
    sys.stdout.flush()
