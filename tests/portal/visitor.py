"""Pages as a member sees them: the real router, a real sign-in, the test's own home."""

from pathlib import Path

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from portal.session import SIGN_IN
from services.accounts import sign_ins
from services.accounts.scope import Member
from services.accounts.tables import User
from services.db import transaction

APP = Path(__file__).parents[2] / "portal" / "app.py"
# The machine may be busy; a page itself takes a fraction of a second.
PATIENCE_SECONDS = 60


def opened_by(user_id: str) -> AppTest:
    """The portal as a person finds it after signing in: on their first page."""
    return _run(APP, user_id)


def by_itself(user_id: str, page: str) -> AppTest:
    """One page, such as `admin/queue`, without the router that offers it, as if a person had its file."""
    return _run(APP.parent / "views" / f"{page}.py", user_id)


def _run(file: Path, user_id: str) -> AppTest:
    with transaction() as db:
        user = db.get_one(User, user_id)
        secret = sign_ins.begin(db)
        assert sign_ins.bind(db, secret, user)
    app = AppTest.from_file(file, default_timeout=PATIENCE_SECONDS)
    app.user = {
        "is_logged_in": True,
        "iss": user.issuer,
        "sub": user.subject,
        "email": user.email,
        "email_verified": user.email_verified,
        "name": user.name,
        SIGN_IN: secret,
    }
    return app.run()


def visit(member: Member, page: str, **query: str) -> AppTest:
    """A customer's page, such as `datasets`, opened by this member at an address with `query`."""
    app = opened_by(member.user_id)
    app.switch_page(f"views/customer/{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def words(app: AppTest) -> str:
    """Everything that is written on the page, in its order."""
    kinds = ("title", "caption", "markdown", "subheader", "info", "warning", "error", "success", "metric")
    written = [f"{element.label}: {element.value}" for element in app.metric]
    for kind in kinds:
        written += [str(element.value) for element in app.get(kind) if kind != "metric"]
    return "\n".join(
        [*written, *(link.value for link in app.page_link), *(link.value for link in app.link_button)]
    )


def button(app: AppTest, label: str, place: int = 0) -> Button:
    """The button with this label, the first where there are several."""
    return [one for one in app.button if one.label == label][place]
