"""How long uploads are kept that nobody goes on with."""

from sqlmodel import Session, col

from services import clock
from services.accounts.scope import across
from services.datasets.tables import UploadSession
from services.datasets.uploading import prefix_of


def forget_expired(session: Session) -> list[str]:
    """Forget uploads in parts whose time is over. Gives storage prefixes to delete after the transaction."""
    over = list(session.exec(across(UploadSession).where(col(UploadSession.expires_at) < clock.now())).all())
    for upload in over:
        session.delete(upload)
    session.flush()
    return [prefix_of(upload.tenant_id, upload.id) for upload in over]
