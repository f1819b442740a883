"""`tuneport serve`: the processes of the product."""

import logging
from typing import Annotated

import typer
import uvicorn

from services.cli.checks import require_upgraded
from services.config import settings

app = typer.Typer(help="Run one of the product's processes.", no_args_is_help=True)

Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(help="Port to listen on.")]


@app.command()
def portal(host: Host = "127.0.0.1", port: Port = 8501) -> None:
    """What people see in the browser."""
    _serve("portal.asgi:app", host, port)


@app.command()
def api(host: Host = "127.0.0.1", port: Port = 8000) -> None:
    """What programs call."""
    _serve("services.api.app:app", host, port)


@app.command()
def worker() -> None:
    """Takes jobs from the queue and trains; stops at SIGTERM, giving its job back."""
    # Imported here: the other processes need none of it.
    from services.worker import loop

    _prepare()
    loop.serve()


def _serve(target: str, host: str, port: int) -> None:
    _prepare()
    behind_proxy = settings().mode == "production"
    uvicorn.run(target, host=host, port=port, log_level="warning", proxy_headers=behind_proxy)


def _prepare() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for talkative in ("httpx", "alembic"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    require_upgraded()
