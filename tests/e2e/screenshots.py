"""Pictures of the product for README and guides: `python -m tests.e2e.screenshots FOLDER [--width 1440]`."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page

from services.datasets.samples import PLACE_NAMES, SUPPORT_MESSAGES, Sample
from tests.e2e.running import Demo, chromium, open_page, running_demo, settle, sign_in

TRAINED_MS = 300_000
SENTENCE = "The parcel was marked as delivered yesterday, but nobody at my address has seen it."
NEWS = "Maria Lopez flew from Lisbon to Hamburg, where Peter Novak met her at the station."


def walk(page: Page, demo: Demo, shoot: Callable[[Page, str], None]) -> None:
    """The main job with pictures on the way."""
    sign_in(page, demo, "anna")
    train(page, SUPPORT_MESSAGES, "support-messages", "Quick", shoot)
    predict(page, "support-messages", SENTENCE)
    shoot(page, "playground")
    train(page, PLACE_NAMES, "place-names", "Best", None)
    predict(page, "place-names", NEWS)
    shoot(page, "playground-entities")
    train_again(page, shoot)
    open_page(page, "Home")
    shoot(page, "home")
    for title in ("Data sets", "New job", "Models", "API keys", "Usage", "Members", "Invoices"):
        open_page(page, title)
        shoot(page, title.lower().replace(" ", "-"))
    page.get_by_role("link", name=re.compile("draft", re.I)).first.click()
    page.get_by_text(re.compile("Training on")).first.click()
    settle(page)
    shoot(page, "invoice")


def train(
    page: Page, sample: Sample, name: str, preset: str, shoot: Callable[[Page, str], None] | None
) -> None:
    """From a sample file to a model."""
    open_page(page, "Data sets")
    page.locator("input[type=file]").set_input_files(
        {"name": sample.filename, "mimeType": "text/plain", "buffer": sample.read()}
    )
    page.get_by_role("button", name="Create data set").wait_for()
    settle(page)
    if shoot:
        shoot(page, "upload")
    page.get_by_role("button", name="Create data set").click()
    page.get_by_role("button", name=re.compile("Train a model")).wait_for()
    settle(page)
    if shoot:
        shoot(page, "dataset")
    page.get_by_role("button", name=re.compile("Train a model")).click()
    start(page, preset, name)
    page.get_by_role("button", name="Read the report").wait_for(timeout=TRAINED_MS)
    page.get_by_role("button", name="Read the report").click()
    page.get_by_test_id("stPlotlyChart").first.wait_for()
    settle(page)
    if shoot:
        shoot(page, "report")


def start(page: Page, preset: str, name: str) -> None:
    """Choose a preset and a name, and start the run."""
    page.get_by_role("button", name="Start training").wait_for()
    settle(page)
    page.get_by_role("textbox", name="Name of the model").fill(name)
    page.keyboard.press("Tab")
    settle(page)
    if preset != "Quick":
        page.get_by_role("button", name=f"Choose {preset}").click()
        settle(page)
    page.get_by_role("button", name="Start training").click()


def train_again(page: Page, shoot: Callable[[Page, str], None]) -> None:
    """A Best run, pictured while it trains."""
    open_page(page, "Data sets")
    page.get_by_test_id("stMain").get_by_role("link", name="Support messages").first.click()
    page.get_by_role("button", name=re.compile("Train a model")).click()
    start(page, "Best", "support-messages")
    # Far enough that its curves say something.
    page.get_by_text(re.compile(r"Training: [4-8]\d %")).wait_for(timeout=TRAINED_MS)
    settle(page)
    shoot(page, "job")
    page.get_by_role("button", name="Read the report").wait_for(timeout=TRAINED_MS)


def predict(page: Page, model: str, text: str) -> None:
    """Ask a model in the playground."""
    base = page.url.split("/", 3)
    page.goto(f"{base[0]}//{base[2]}/playground?model={model}")
    page.get_by_role("textbox", name="Text", exact=True).fill(text)
    page.get_by_role("button", name="Predict").click()
    page.get_by_text("on the way and back").wait_for()
    settle(page)


def pictures(browser: Browser, demo: Demo, folder: Path, *, scheme: str, width: int) -> None:
    """The walk in one colour scheme."""
    suffix = scheme if width == 1440 else f"{scheme}-{width}"

    def shoot(page: Page, name: str) -> None:
        # What is told in passing covers what a page is about.
        page.get_by_test_id("stToast").first.wait_for(state="hidden")
        page.screenshot(path=folder / f"{name}-{suffix}.png", animations="disabled")

    size = {"width": width, "height": 1000}
    customer = browser.new_context(viewport=size, color_scheme=scheme)
    try:
        walk(customer.new_page(), demo, shoot)
        staff = browser.new_context(viewport=size, color_scheme=scheme)
        page = staff.new_page()
        sign_in(page, demo, "ada")
        shoot(page, "admin")
    except BaseException:
        for number, page in enumerate(customer.pages):
            page.screenshot(path=folder / f"failed-{number}-{suffix}.png")
        raise


def main(folder: Path, width: int = 1440) -> None:
    """Both colour schemes, each on a demo of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for scheme in ("light", "dark"):
            with TemporaryDirectory() as home, running_demo(Path(home)) as demo:
                pictures(browser, demo, folder, scheme=scheme, width=width)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
