"""Every page, for everybody: who may see it, and that an id of another workspace is an id of nothing.

A test walks through all pages in one browser: a browser for each page would take minutes.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from portal.navigation import CUSTOMER, STAFF
from portal.session import SIGN_IN
from services import ids
from services.accounts.scope import Member, Role, Staff
from tests.portal import rows
from tests.portal.reports import create_report
from tests.portal.visitor import APP, PATIENCE_SECONDS, opened_by, words

FILES = [entry.file for entry in CUSTOMER]
# Pages about one thing, which their address names by id: the page and the noun of the id.
ABOUT = {"dataset": "dataset", "job": "job", "model": "model"}


def file_of(page: str) -> str:
    return f"views/customer/{page}.py"


def walk(member: Member, things: dict[str, str]) -> Iterator[tuple[str, AppTest]]:
    """Every customer's page in one browser, those about one thing with its id."""
    app = opened_by(member.user_id)
    for file in FILES:
        page = Path(file).stem
        app.query_params = {"id": things[page]} if page in things else {}
        yield file, app.switch_page(file).run()


def everything_on(app: AppTest) -> str:
    return "\n".join([words(app), *(frame.value.to_string() for frame in app.dataframe)]).lower()


@pytest.fixture
def busy(owner: Member, tmp_path: Path) -> dict[str, str]:
    """A workspace with one of everything: page -> id of its thing."""
    version = rows.create_dataset(owner, name="Secret data")
    made = rows.create_model(owner, tmp_path, create_report(), version=version, name="secret-model")
    rows.record_predictions(owner, made, 40)
    return {"dataset": version.dataset_id, "job": made.job_id, "model": made.model_id}


def test_every_file_has_its_entry_and_every_entry_its_file() -> None:
    views = APP.parent / "views"
    files = {
        path.relative_to(APP.parent).as_posix() for path in views.rglob("*.py") if path.stem != "__init__"
    }

    assert files == {entry.file for entry in (*CUSTOMER, *STAFF)} | {"views/sign_in.py"}


@pytest.mark.parametrize("role", [Role.owner, Role.viewer])
def test_every_member_gets_an_answer_from_every_page(role: Role, owner: Member, busy: dict[str, str]) -> None:
    member = owner if role is Role.owner else rows.colleague(owner, role)

    for file, app in walk(member, busy):
        assert not app.exception, file
        assert app.title or app.error, file


def test_another_workspace_sees_none_of_it_and_works_though_empty(busy: dict[str, str]) -> None:
    for file, app in walk(rows.stranger(), {}):
        assert not app.exception, file
        assert app.title or app.error, file
        assert "secret" not in everything_on(app), file


def test_an_id_of_another_workspace_is_an_id_of_nothing(owner: Member, busy: dict[str, str]) -> None:
    mine, foreign = opened_by(owner.user_id), opened_by(rows.stranger().user_id)

    for page, noun in ABOUT.items():
        said = {}
        for app, thing in ((mine, busy[page]), (foreign, busy[page]), (foreign, ids.new(noun))):
            app.query_params = {"id": thing}
            said[app is mine, thing] = everything_on(app.switch_page(file_of(page)).run())
            assert not app.exception, page
        own, of_others, of_nobody = said.values()
        assert "secret" in own, page
        assert of_others == of_nobody, page


@pytest.mark.parametrize("file", [*FILES, *(entry.file for entry in STAFF)])
def test_a_page_run_by_itself_shows_nobody_anything(file: str, busy: dict[str, str]) -> None:
    app = AppTest.from_file(APP.parent / file, default_timeout=PATIENCE_SECONDS)
    app.user = {"is_logged_in": True, "iss": "https://id.example", "sub": "s", SIGN_IN: "made up"}
    app.run()

    assert app.exception
    assert not app.title
    assert not app.metric
    assert not app.dataframe


def test_a_stranger_finds_the_door_at_every_address(empty_home: Path) -> None:
    app = AppTest.from_file(APP, default_timeout=PATIENCE_SECONDS)
    app.user = {}
    app.run()

    # AppTest goes to files, and has no other word for the addresses that the router registered.
    pages = app._registered_pages.values()

    assert {entry.path for entry in (*CUSTOMER, *STAFF)} == {page["url_pathname"] for page in pages}
    assert {page["script_path"] for page in pages} == {str(APP.parent / "views" / "sign_in.py")}


def test_an_operator_without_a_workspace_gets_no_customers_page(operator: Staff) -> None:
    app = opened_by(operator.user_id)

    for file in FILES:
        with pytest.raises(ValueError, match=Path(file).stem):
            app.switch_page(file)


def test_every_page_of_an_operator_has_its_address_also_without_a_workspace(operator: Staff) -> None:
    app = opened_by(operator.user_id)

    assert app.title[0].value == STAFF[0].title
    addresses = {page["url_pathname"] for page in app._registered_pages.values()}
    assert addresses == {"", *(entry.path for entry in STAFF)}
