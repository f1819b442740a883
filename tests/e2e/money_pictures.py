"""Pictures of every page about money: `python -m tests.e2e.money_pictures FOLDER [page …]`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page

from services.cli.demo import _identity_provider
from services.cli.processes import Together, tuneport
from services.config import settings
from services.migrations.upgrade import upgrade
from tests.e2e import money_scene
from tests.e2e.running import Demo, chromium, settle, sign_in

LOOKS = (("light", 1280), ("dark", 800), ("dark", 1280), ("light", 800))
# Fixed, because people of a kept home are known by their provider's address.
PORT, PROVIDER_PORT = 8617, 9417
# By person: name of the picture -> its address.
PAGES = {
    "anna": {
        "usage": "usage",
        "usage-predictions": "usage?show=Predictions&split=model",
        "usage-october": "usage?month=2026-10",
        "invoices": "invoices",
        "invoice": "invoice?invoice={last}",
        "draft": "invoice?invoice={draft}",
        "plan": "plan",
    },
    "ada": {
        "admin": "admin",
        "workspaces": "workspaces",
        "workspace": "workspaces?tenant={acme}",
        "prices": "prices",
        "new-plan": "prices?new=1",
        "billing-runs": "billing-runs",
        "revenue": "revenue",
        "contract": "agreements?tenant={acme}&view=Contract",
        "credit": "agreements?tenant={acme}&view=Credit",
        "taken-coupons": "agreements?tenant={acme}&view=Coupons",
        "coupons": "coupons",
        "partners": "partners",
    },
}


@contextmanager
def portal(home: Path) -> Iterator[Demo]:
    """A portal and its identity provider, without API and worker, over a built scene."""
    port, provider = PORT, PROVIDER_PORT
    os.environ |= money_scene.SELLER | {
        "TUNEPORT_HOME": str(home),
        "TUNEPORT_PORTAL_URL": f"http://localhost:{port}",
        "TUNEPORT_OIDC_METADATA_URL": f"http://localhost:{provider}/.well-known/openid-configuration",
        "TUNEPORT_OIDC_CLIENT_ID": "tuneport-demo",
        "TUNEPORT_OIDC_CLIENT_SECRET": "tuneport-demo-secret",
    }
    settings.cache_clear()
    if not (home / "tuneport.db").exists():
        upgrade()
        money_scene.build(home / "models")
    processes = Together(home / "logs")
    try:
        processes.start("identity-provider", _identity_provider(provider))
        processes.start("portal", tuneport("serve", "portal", "--port", str(port)))
        processes.wait_until_answering("portal", f"http://localhost:{port}/healthz")
        yield Demo(portal=f"http://localhost:{port}", api="", home=home, environment={})
    finally:
        processes.stop()


def names() -> dict[str, str]:
    """What addresses of pages name."""
    from services.accounts.scope import Member, Role
    from services.billing import service as billing
    from services.billing.period import Month
    from services.clock import now
    from services.db import reading

    acme = Member(tenant_id=money_scene.named("Acme").id, role=Role.owner)
    with reading() as db:
        last = billing.invoices(db, acme)[0].number
    return {"acme": acme.tenant_id, "last": last, "draft": str(Month.of(now(), "UTC"))}


def shoot(page: Page, file: Path) -> None:
    """The whole page, however long."""
    settle(page)
    height = page.evaluate(
        """() => Math.max(...[...document.querySelectorAll('section.stMain, [data-testid="stMain"]')]
            .map(part => part.scrollHeight), 700)"""
    )
    page.set_viewport_size({"width": page.viewport_size["width"], "height": int(height) + 20})
    settle(page)
    page.screenshot(path=file, animations="disabled")
    page.set_viewport_size({"width": page.viewport_size["width"], "height": 900})


def main(folder: Path, wanted: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    kept = os.environ.get("MONEY_HOME")
    with TemporaryDirectory() as temporary, portal(Path(kept or temporary)) as demo, chromium() as browser:
        told = names()
        for person, pages in PAGES.items():
            shown = {name: address for name, address in pages.items() if not wanted or name in wanted}
            if not shown:
                continue
            context = browser.new_context()
            sign_in(context.new_page(), demo, person)
            cookies = context.storage_state()
            for scheme, width in LOOKS[: int(os.environ.get("MONEY_LOOKS", "4"))]:
                size = {"width": width, "height": 900}
                looked = browser.new_context(viewport=size, color_scheme=scheme, storage_state=cookies)
                page = looked.new_page()
                page.set_default_timeout(60_000)
                for name, address in shown.items():
                    page.goto(f"{demo.portal}/{address.format(**told)}")
                    page.get_by_test_id("stMain").get_by_role("heading").first.wait_for()
                    shoot(page, folder / f"{name}-{scheme}-{width}.png")
                looked.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
