"""A browser in which a member is signed in, for the portal's own routes beside its pages."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Route
from starlette.testclient import TestClient

from portal import cookies
from portal.guard import Guard
from services.accounts import sign_ins
from services.accounts.scope import Member
from services.accounts.tables import User
from services.db import transaction

IDENTITY = {"_streamlit_user": "somebody"}


class SignedIn:
    """What the browser holds, and a client that asks these routes behind the portal's guard."""

    def __init__(self, member: Member, routes: Sequence[Route]) -> None:
        self.tenant_id = member.tenant_id
        with transaction() as db:
            self.secret = sign_ins.begin(db)
            assert sign_ins.bind(db, self.secret, db.get_one(User, member.user_id))
        app = Starlette(routes=routes, middleware=[Middleware(Guard, secure=False, max_age=3600)])
        self.client = TestClient(app, follow_redirects=False)
        self.client.cookies.update(
            {**IDENTITY, cookies.SESSION_COOKIE: cookies.sealed(self.secret, IDENTITY)}
        )
