"""The portal as an ASGI application: Streamlit, with sign-in from our settings, behind our guard."""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit import config
from streamlit.runtime.secrets import SecretsValue

from portal.downloads import download
from portal.errors import apologise
from portal.guard import CALLBACK, SIGN_IN_HEADER, Guard
from portal.paying import pay
from portal.session import SIGN_IN
from portal.uploads import upload
from services.accounts import secrets
from services.config import settings


async def healthz(request: Request) -> JSONResponse:  # noqa: ARG001
    """Is this process answering?"""
    return JSONResponse({"status": "ok"})


def auth_section(cookie_secret: str) -> dict[str, SecretsValue]:
    """The `[auth]` of Streamlit's secrets: one `[auth.name]` for each provider of our settings."""
    section: dict[str, SecretsValue] = {
        "redirect_uri": settings().portal_url.rstrip("/") + CALLBACK,
        "cookie_secret": cookie_secret,
    }
    for name, provider in settings().providers.items():
        section[name] = {
            "client_id": provider.client_id,
            "client_secret": provider.client_secret.get_secret_value(),
            "server_metadata_url": str(provider.metadata_url),
        }
    return section


def build() -> st.App:
    """The application for the present settings."""
    # Derived, so that a leak of one secret is not a leak of the other; the same in every replica.
    cookie_secret = secrets.digest("streamlit cookies")
    app = st.App(
        Path(__file__).with_name("app.py"),
        secrets={"auth": auth_section(cookie_secret)},
        routes=[
            Route("/healthz", healthz),
            Route("/download/{kind}/{subject}", download),
            Route("/pay/{reference}", pay),
            Route("/upload", upload, methods=["POST"]),
            Route("/upload/{session_id}", upload, methods=["HEAD", "PATCH", "POST", "DELETE"]),
        ],
        middleware=[
            Middleware(
                Guard,
                secure=settings().portal_url.startswith("https://"),
                max_age=settings().session_hours * 3600,
            )
        ],
        on_script_error=apologise,
    )
    # Streamlit signs the cookie of a sign-in under way before it reads its secrets.
    config.set_option("server.cookieSecret", cookie_secret)
    config.set_option("server.trustedUserHeaders", {SIGN_IN_HEADER: SIGN_IN})
    return app


app = build()
