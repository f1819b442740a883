"""Production moves through a gate, moves back at once, and remembers every move."""

from pathlib import Path

import pytest
from sqlmodel import Session

from services.accounts import team
from services.accounts.scope import Member
from services.registry import aliases, gate
from services.registry import service as registry
from services.registry.errors import NothingBefore, ProductionMoved, WorseThanProduction
from services.registry.gate import Judgement, Verdict
from services.registry.tables import ModelVersion, MoveKind
from services.training.reporting.answered import Answered
from tests.services.registry.test_service import create_judgement, publish


def answered(right: int, rows: int = 100, *, first: int = 0) -> list[Answered]:
    """Test rows, the first `right` of them answered rightly."""
    return [
        Answered("test", row, f"text {row}", ["yes"], ["yes" if row - first < right else "no"], [0.9])
        for row in range(first, first + rows)
    ]


def judge(version: ModelVersion, live: ModelVersion, right: int, live_right: int) -> Judgement:
    return gate.judge(version.id, answered(right), against_id=live.id, against=answered(live_right))


@pytest.fixture
def two(session: Session, member: Member, tmp_path: Path) -> tuple[ModelVersion, ModelVersion]:
    return publish(session, member, tmp_path / "a"), publish(session, member, tmp_path / "b")


def live(session: Session, member: Member) -> str:
    return registry.resolve(session, member, name="intents").id


def test_a_version_that_loses_is_refused(
    session: Session, member: Member, two: tuple[ModelVersion, ModelVersion]
) -> None:
    first, second = two

    with pytest.raises(WorseThanProduction, match=r"98\.0 % and the one in production 99\.0 %"):
        aliases.promote(session, member, judged=judge(second, first, 98, 99), reason="  ")

    assert live(session, member) == first.id


def test_a_reason_overrules_and_is_kept(
    session: Session, member: Member, two: tuple[ModelVersion, ModelVersion]
) -> None:
    first, second = two

    aliases.promote(session, member, judged=judge(second, first, 98, 99), reason="It knows the new products.")

    newest, oldest = aliases.history(session, member, model_id=first.model_id)
    assert (newest.kind, newest.reason) == (MoveKind.overruled, "It knows the new products.")
    assert (newest.from_version_id, newest.to_version_id) == (first.id, second.id)
    assert newest.moved_by == member.user_id
    assert newest.judgement["difference"]["only_second"] == 1
    assert oldest.kind is MoveKind.first
    entry, _ = team.audit_log(session, member)[0]
    assert (entry.action, entry.detail["reason"]) == ("model.overruled", "It knows the new products.")
    assert (entry.detail["name"], entry.detail["version_number"]) == ("intents", second.number)


@pytest.mark.parametrize("right", [99, 100])
def test_a_version_that_does_not_lose_passes(
    session: Session, member: Member, two: tuple[ModelVersion, ModelVersion], right: int
) -> None:
    first, second = two

    aliases.promote(session, member, judged=judge(second, first, right, 99))

    assert live(session, member) == second.id


def test_rows_that_only_one_was_tested_on_tell_nothing() -> None:
    mostly_apart = gate.judge("b", answered(10), against_id="a", against=answered(100, first=80))

    assert mostly_apart.verdict is Verdict.not_comparable
    assert mostly_apart.rows == 20


def test_labels_that_were_mended_count_as_they_are_now() -> None:
    mended = [
        Answered("test", row.row, row.text, ["no"], row.predicted, row.confidence) for row in answered(0)
    ]

    judged = gate.judge("b", mended, against_id="a", against=answered(100))

    assert (judged.verdict, judged.value, judged.against_value) == (Verdict.not_worse, 1.0, 0.0)


def test_what_was_compared_must_still_be_in_production(
    session: Session, member: Member, two: tuple[ModelVersion, ModelVersion], tmp_path: Path
) -> None:
    first, second = two
    third = publish(session, member, tmp_path / "c")
    judged = judge(third, first, 100, 99)
    aliases.promote(session, member, judged=create_judgement(second, first))

    with pytest.raises(ProductionMoved):
        aliases.promote(session, member, judged=judged)


def test_going_back_twice_goes_back_two_versions(
    session: Session, member: Member, two: tuple[ModelVersion, ModelVersion], tmp_path: Path
) -> None:
    first, second = two
    third = publish(session, member, tmp_path / "c")
    aliases.promote(session, member, judged=create_judgement(second, first))
    aliases.promote(session, member, judged=create_judgement(third, second))

    aliases.roll_back(session, member, model_id=first.model_id)
    assert live(session, member) == second.id
    aliases.roll_back(session, member, model_id=first.model_id)
    assert live(session, member) == first.id

    with pytest.raises(NothingBefore):
        aliases.roll_back(session, member, model_id=first.model_id)
