"""The names that move between versions: moved through a gate, moved back at once, and never without a trace.

Whoever moves production first has the two versions judged, outside of any transaction:

    judged = aliases.judged(member, version_id=version_id)
    with transaction() as db:
        aliases.promote(db, member, judged=judged, reason=None)
"""

from sqlmodel import Session, col

from services import clock
from services.accounts import audit
from services.accounts.scope import Member, Role, owned
from services.db import reading
from services.registry import evidence, gate
from services.registry import service as registry
from services.registry.errors import NothingBefore, ProductionMoved, WorseThanProduction
from services.registry.gate import Judgement, Verdict
from services.registry.tables import PRODUCTION, Alias, AliasMove, ModelVersion, MoveKind

_REASON_CHARACTERS = 500


def judged(member: Member, *, version_id: str) -> Judgement:
    """How a version does beside the one in production. Opens its own reading transaction.

    Raises:
        NotFound: no such version in this workspace.
        ArtefactDamaged: what either answered is missing or changed.
    """
    with reading() as session:
        version = registry.get_version(session, member, version_id=version_id)
        live_id = registry.production(session, member)[version.model_id]
        live = registry.get_version(session, member, version_id=live_id)
    return gate.judge(
        version.id, evidence.answers(version), against_id=live.id, against=evidence.answers(live)
    )


def promote(session: Session, member: Member, *, judged: Judgement, reason: str | None = None) -> AliasMove:
    """Move production to the version that was judged; a worse one only with a reason, which is kept.

    Raises:
        NotFound: no such version in this workspace.
        ProductionMoved: another version than the one it was compared with is in production by now.
        WorseThanProduction: it loses on the same test rows, and no reason was given.
    """
    member.require(Role.editor)
    version = registry.get_version(session, member, version_id=judged.version_id)
    alias = _locked(session, member, version.model_id)
    if alias.version_id != judged.against_id:
        raise ProductionMoved
    if version.id == alias.version_id and (moves := history(session, member, model_id=version.model_id)):
        # There already.
        return moves[0]
    worse = judged.verdict is Verdict.worse
    reason = (reason or "").strip()[:_REASON_CHARACTERS] or None
    if worse and reason is None:
        raise WorseThanProduction(judged)
    kind = MoveKind.overruled if worse else MoveKind.promoted
    return _move(session, member, alias, version, kind, reason=reason if worse else None, judged=judged)


def roll_back(session: Session, member: Member, *, model_id: str) -> AliasMove:
    """Move production back to the version that was there before; at once, without a gate.

    Raises:
        NotFound: no such model in this workspace.
        NothingBefore: there was none before.
    """
    member.require(Role.editor)
    registry.get_model(session, member, model_id=model_id)
    alias = _locked(session, member, model_id)
    earlier = before(history(session, member, model_id=model_id))
    if earlier is None:
        raise NothingBefore
    version = registry.get_version(session, member, version_id=earlier)
    return _move(session, member, alias, version, MoveKind.rolled_back)


def history(session: Session, member: Member, *, model_id: str) -> list[AliasMove]:
    """Every move of a model's production, newest first."""
    moves = owned(AliasMove, member).where(AliasMove.model_id == model_id, AliasMove.name == PRODUCTION)
    return list(session.exec(moves.order_by(col(AliasMove.id).desc())))


def before(moves: list[AliasMove]) -> str | None:
    """The version that going back leads to, given all moves, newest first; a second step goes further."""
    stack: list[str] = []
    for move in reversed(moves):
        if move.kind is MoveKind.rolled_back:
            stack.pop()
        else:
            if not stack and move.from_version_id:
                # Moved before moves were kept.
                stack.append(move.from_version_id)
            stack.append(move.to_version_id)
    return stack[-2] if len(stack) > 1 else None


def _locked(session: Session, member: Member, model_id: str) -> Alias:
    alias = owned(Alias, member).where(Alias.model_id == model_id, Alias.name == PRODUCTION)
    return session.exec(alias.with_for_update()).one()


def _move(
    session: Session,
    member: Member,
    alias: Alias,
    version: ModelVersion,
    kind: MoveKind,
    *,
    reason: str | None = None,
    judged: Judgement | None = None,
) -> AliasMove:
    move = AliasMove(
        tenant_id=member.tenant_id,
        model_id=version.model_id,
        from_version_id=alias.version_id,
        to_version_id=version.id,
        kind=kind,
        reason=reason,
        judgement=judged.model_dump(mode="json") if judged else None,
        moved_by=member.user_id or member.key_id,
    )
    alias.version_id, alias.moved_at = version.id, clock.now()
    session.add(alias)
    session.add(move)
    session.flush()
    audit.record(
        session,
        member,
        f"model.{kind.value}",
        version.model_id,
        name=registry.get_model(session, member, model_id=version.model_id).name,
        version_number=version.number,
        version=version.id,
        before=move.from_version_id,
        **({"reason": reason} if reason else {}),
    )
    return move
