"""Who is looking at the page: the only file that reads st.user.

The guard hands us the browser's sign-in as one more claim of st.user, next to those of the identity provider;
without a live one nobody is signed in, whatever the provider's cookie says. Everything is read again at every
run, so that a sign-out, a removal or a new role counts at the next step. A fragment runs without the rest of
its page: it asks `member()` anew instead of using the page's.
"""

from dataclasses import dataclass

import streamlit as st

from services import clock, onboarding
from services.accounts import service as accounts
from services.accounts import sign_ins
from services.accounts.errors import PersonDisabled
from services.accounts.scope import Member, Role, Staff, StaffOnly, StaffRole
from services.accounts.service import Identity
from services.accounts.tables import Tenant, User
from services.db import reading, transaction
from services.errors import Forbidden, Unauthenticated

# The claim of st.user that holds the browser's sign-in.
SIGN_IN = "sign_in"
# In the address (for links and reloads) and in the session state (for moving between pages).
WORKSPACE = "workspace"


class SignedOut(Unauthenticated):
    """Nobody is signed in, or no longer."""

    code = "signed_out"

    def __init__(self) -> None:
        super().__init__("You are signed out. Load this page again to sign in.")


class NoWorkspace(Forbidden):
    """A member of no workspace, or no longer; also our own people, on customers' pages."""

    code = "no_workspace"

    def __init__(self) -> None:
        super().__init__("You belong to no workspace. Ask an owner to invite you, and sign in again.")


@dataclass(frozen=True)
class Visit:
    """The person in front of the page, and where they may go."""

    user: User
    workspaces: list[tuple[Tenant, Role]]
    staff: Staff | None


def visit() -> Visit:
    """Who is here, by the database's present word.

    Raises:
        SignedOut: nobody is signed in.
        PersonDisabled: access was taken away.
        InvitationNeeded: the person is in no workspace, and self-service is off.
    """
    secret, identity = token(), _identity()
    with reading() as db:
        sign_in = sign_ins.live(db, secret)
        if sign_in is None:
            raise SignedOut
        known = sign_in.user_id is not None
    if not known:
        _arrive(secret, identity)
    with reading() as db:
        user = sign_ins.person(db, secret)
        if user is None or (user.issuer, user.subject) != (identity.issuer, identity.subject):
            raise SignedOut
        if user.disabled_at is not None:
            raise PersonDisabled
        return Visit(user, accounts.memberships(db, user), accounts.staff(db, user))


def _arrive(secret: str, identity: Identity) -> None:
    with transaction() as db:
        person = onboarding.arrive(db, identity)
        if not sign_ins.bind(db, secret, person):
            raise SignedOut


def user() -> User:
    """The person in front of the page; raises as `visit` does."""
    return visit().user


def staff() -> Staff | None:
    """The person as one of our own people, or None; raises as `visit` does."""
    return visit().staff


def operator() -> Staff:
    """The person as an operator, asked anew by every run and fragment.

    Raises:
        StaffOnly: not one; and as `visit` does.
    """
    person = staff()
    if person is None:
        raise StaffOnly(StaffRole.admin)
    person.require(StaffRole.admin)
    return person


def member() -> Member:
    """The person as a member of the chosen workspace.

    Raises:
        NoWorkspace: there is none to choose; and as `visit` does.
    """
    here = visit()
    tenant, role = chosen(here)
    return Member(tenant_id=tenant.id, role=role, user_id=here.user.id)


def tenant() -> Tenant:
    """The chosen workspace; raises as `member` does."""
    return chosen(visit())[0]


def chosen(here: Visit) -> tuple[Tenant, Role]:
    """The workspace that the address or the person named, or else the first, with the role in it.

    Raises:
        NoWorkspace: there is none to choose.
    """
    if not here.workspaces:
        raise NoWorkspace
    wanted = st.query_params.get(WORKSPACE) or st.session_state.get(WORKSPACE)
    for tenant, role in here.workspaces:
        if tenant.id == wanted:
            return tenant, role
    return here.workspaces[0]


def choose(tenant_id: str) -> None:
    """Go on in another workspace; what the address named of the former one is dropped."""
    st.session_state[WORKSPACE] = tenant_id
    st.query_params.from_dict({WORKSPACE: tenant_id})


def stay() -> None:
    """Note that the person is active. Not called by fragments, whose timers run without anybody there."""
    secret = token()
    with reading() as db:
        sign_in = sign_ins.live(db, secret)
    if sign_in is not None and clock.now() - sign_in.seen_at > sign_ins.SEEN_PRECISION:
        with transaction() as db:
            sign_ins.touch(db, secret)


def token() -> str:
    """The browser's sign-in, a secret: for tying something to it, never for showing.

    Raises:
        SignedOut: there is none.
    """
    claims = st.user.to_dict()
    secret = claims.get(SIGN_IN)
    if not claims.get("is_logged_in") or not isinstance(secret, str) or not secret:
        raise SignedOut
    return secret


def _identity() -> Identity:
    claims = st.user.to_dict()
    return Identity(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        email=str(claims.get("email") or ""),
        # Some providers say "false" in letters, which is true to Python.
        email_verified=claims.get("email_verified") is True,
        name=str(claims.get("name") or ""),
    )
