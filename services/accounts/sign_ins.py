"""Signed-in browsers: begun at the identity provider's callback, ended by logout, age, silence or command."""

from datetime import timedelta

from sqlmodel import Session, col, delete, select, update

from services import clock
from services.accounts import secrets
from services.accounts.tables import SignIn, User
from services.config import settings

SEEN_PRECISION = timedelta(minutes=1)


def begin(session: Session) -> str:
    """Start a sign-in; gives the secret that the browser keeps in a cookie."""
    token = secrets.new_token()
    session.add(SignIn(digest=secrets.digest(token)))
    session.flush()
    return token


def live(session: Session, token: str) -> SignIn | None:
    """The sign-in behind a browser's secret; None where there is none, or it ended, aged or fell silent."""
    sign_in = session.exec(select(SignIn).where(SignIn.digest == secrets.digest(token))).one_or_none()
    return sign_in if sign_in is not None and _fresh(sign_in) else None


def is_live(session: Session, token: str) -> bool:
    """Is this browser still signed in?"""
    return live(session, token) is not None


def person(session: Session, token: str) -> User | None:
    """Who is signed in with this browser; None where nobody is, or the first page is still to come."""
    sign_in = live(session, token)
    return None if sign_in is None or sign_in.user_id is None else session.get(User, sign_in.user_id)


def touch(session: Session, token: str) -> None:
    """Note a sign of life, so that an active browser is not idle."""
    sign_in = live(session, token)
    if sign_in is not None and clock.now() - sign_in.seen_at > SEEN_PRECISION:
        sign_in.seen_at = clock.now()
        session.add(sign_in)
        session.flush()


def bind(session: Session, token: str, user: User) -> bool:
    """Tie a sign-in to its person at the first page; False where it is not live or another person's."""
    sign_in = live(session, token)
    if sign_in is None:
        return False
    if sign_in.user_id is None:
        sign_in.user_id = user.id
        session.add(sign_in)
        session.flush()
    return sign_in.user_id == user.id


def end(session: Session, token: str) -> None:
    """Sign this browser out; ended already is fine."""
    sign_in = live(session, token)
    if sign_in is not None:
        sign_in.ended_at = clock.now()
        session.add(sign_in)
        session.flush()


def end_everywhere(session: Session, user_id: str) -> None:
    """Sign a person out of every browser."""
    session.exec(
        update(SignIn)
        .where(SignIn.user_id == user_id, SignIn.ended_at == None)  # type: ignore[arg-type]  # noqa: E711
        .values(ended_at=clock.now())
    )


def _fresh(sign_in: SignIn) -> bool:
    limits = settings()
    now = clock.now()
    return (
        sign_in.ended_at is None
        and now - sign_in.created_at < timedelta(hours=limits.session_hours)
        and now - sign_in.seen_at < timedelta(minutes=limits.session_idle_minutes)
    )


def prune(session: Session) -> int:
    """Forget sign-ins that no browser can use any more; gives how many."""
    before = clock.now() - timedelta(hours=settings().session_hours)
    return session.exec(delete(SignIn).where(col(SignIn.created_at) < before)).rowcount
