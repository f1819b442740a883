"""The threshold of a version: below it an answer is withheld, wherever it is asked for."""

from sqlmodel import Session, col

from services.accounts import audit
from services.accounts.scope import Member, Role, owned
from services.registry import service as registry
from services.registry.errors import BadThreshold
from services.registry.tables import ThresholdChoice


def choose(session: Session, member: Member, *, version_id: str, threshold: float | None) -> ThresholdChoice:
    """Give only answers with a confidence of at least the threshold from now on; None gives them all.

    Raises:
        NotFound: no such version in this workspace.
        BadThreshold: it is no probability.
    """
    member.require(Role.editor)
    version = registry.get_version(session, member, version_id=version_id)
    # Above 1 no answer would ever be given, and not-a-number is neither above nor below.
    if threshold is not None and not 0 <= threshold <= 1:
        raise BadThreshold
    before = of(session, member, version_id=version.id)
    chosen = ThresholdChoice(
        tenant_id=member.tenant_id,
        version_id=version.id,
        threshold=threshold or None,
        chosen_by=member.user_id or member.key_id,
    )
    session.add(chosen)
    session.flush()
    audit.record(
        session,
        member,
        "model_version.threshold_chosen",
        version.id,
        name=registry.get_model(session, member, model_id=version.model_id).name,
        version_number=version.number,
        threshold=chosen.threshold,
        before=before,
    )
    return chosen


def of(session: Session, member: Member, *, version_id: str) -> float | None:
    """The threshold that a version has now; None where every answer is given."""
    return next((choice.threshold for choice in history(session, member, version_id=version_id)), None)


def history(session: Session, member: Member, *, version_id: str) -> list[ThresholdChoice]:
    """Every choice that was made for a version, newest first."""
    choices = owned(ThresholdChoice, member).where(ThresholdChoice.version_id == version_id)
    return list(session.exec(choices.order_by(col(ThresholdChoice.id).desc())))
