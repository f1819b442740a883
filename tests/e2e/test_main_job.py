"""The main job, as a customer's engineer does it: from the sign-in to the invoice."""

import re
import subprocess

import httpx
from openai import OpenAI
from playwright.sync_api import Page, expect

from services.cli.processes import tuneport
from services.datasets.samples import SUPPORT_MESSAGES
from tests.e2e.running import Demo, open_page, settle, sign_in

# A quick run of four hundred rows takes seconds; a loaded machine takes longer.
TRAINED_MS = 240_000


def test_from_upload_to_invoice(page: Page, demo: Demo) -> None:
    sign_in(page, demo, "anna")

    open_page(page, "Data sets")
    page.locator("input[type=file]").set_input_files(
        {"name": "shop.csv", "mimeType": "text/csv", "buffer": SUPPORT_MESSAGES.read()}
    )
    page.get_by_role("button", name="Create data set").click()
    expect(page.get_by_text(re.compile(r"rows in the file|Rows in the file")).first).to_be_visible()

    page.get_by_role("button", name=re.compile("Train a model")).click()
    page.get_by_role("textbox", name="Name of the model").fill("shop")
    page.keyboard.press("Tab")
    settle(page)
    page.get_by_role("button", name="Start training").click()

    page.get_by_role("button", name="Read the report").wait_for(timeout=TRAINED_MS)
    page.get_by_role("button", name="Read the report").click()
    page.get_by_text("Accuracy on the test split").first.wait_for()

    open_page(page, "Playground")
    page.get_by_role("textbox", name="Text", exact=True).fill(
        "Where is my parcel? It should have come on Monday."
    )
    page.keyboard.press("Tab")
    settle(page)
    page.get_by_role("button", name="Predict").click()
    page.get_by_text("on the way and back").wait_for()

    open_page(page, "API keys")
    page.get_by_role("button", name="Create key").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox", name="Name").fill("end to end")
    dialog.get_by_role("button", name="Create key").click()
    secret = dialog.locator("code").first.inner_text().strip()
    dialog.get_by_role("button", name="Done").click()
    answer = httpx.post(
        f"{demo.api}/v1/predict",
        json={"model": "shop", "input": ["Where is my parcel?", "The zip is broken."]},
        headers={"Authorization": f"Bearer {secret}"},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["data"]) == 2

    open_page(page, "Usage")
    expect(page.get_by_text("Predictions").first).to_be_visible()

    open_page(page, "Invoices")
    page.get_by_role("link", name=re.compile("draft", re.I)).first.click()
    page.get_by_text(re.compile("Training on")).first.wait_for()
    page.get_by_role("button", name="Predictions").first.click()
    settle(page)
    with page.expect_download() as pdf:
        page.get_by_role("link", name="PDF").click()
    assert pdf.value.path().read_bytes().startswith(b"%PDF")


def test_the_openai_client_fine_tunes_over_http(demo: Demo) -> None:
    made = subprocess.run(
        tuneport("key", "create", "--tenant", "Acme", "--name", "openai"),
        env=demo.environment,
        check=True,
        capture_output=True,
        text=True,
    )
    client = OpenAI(base_url=f"{demo.api}/v1", api_key=made.stdout.strip())

    file = client.files.create(file=("messages.csv", SUPPORT_MESSAGES.read()), purpose="fine-tune")
    job = client.fine_tuning.jobs.create(
        training_file=file.id, model="all-MiniLM-L6-v2", suffix="over-http", extra_body={"preset": "quick"}
    )
    cancelled = client.fine_tuning.jobs.cancel(job.id)

    assert cancelled.id == job.id
    assert next(one.id for one in client.fine_tuning.jobs.list()) == job.id


def test_a_member_with_another_role_sees_what_the_role_may(page: Page, demo: Demo) -> None:
    sign_in(page, demo, "vera")

    navigation = page.get_by_test_id("stSidebarNav")
    expect(navigation.get_by_role("link", name="Data sets")).to_be_visible()
    expect(navigation.get_by_role("link", name="Invoices")).to_have_count(0)
    expect(navigation.get_by_role("link", name="Overview")).to_have_count(0)


def test_staff_see_how_the_business_goes(page: Page, demo: Demo) -> None:
    sign_in(page, demo, "ada")

    page.get_by_role("heading", name="Overview", exact=True).wait_for()
    for words in ("Revenue this month", "Jobs waiting", "Workers alive", "Needs attention"):
        expect(page.get_by_text(words).first).to_be_visible()
