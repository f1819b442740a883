from pathlib import Path

import pytest
from sqlmodel import Session

from services.accounts import team
from services.accounts.scope import Member, Role, RoleMissing
from services.registry import thresholds
from services.registry.errors import BadThreshold
from tests.services.registry.test_service import publish


def test_the_last_choice_holds_and_the_others_are_remembered(
    session: Session, member: Member, tmp_path: Path
) -> None:
    version = publish(session, member, tmp_path / "model")
    assert thresholds.of(session, member, version_id=version.id) is None

    for chosen in (0.5, 0.8, None):
        thresholds.choose(session, member, version_id=version.id, threshold=chosen)

    assert thresholds.of(session, member, version_id=version.id) is None
    kept = thresholds.history(session, member, version_id=version.id)
    assert [choice.threshold for choice in kept] == [None, 0.8, 0.5]
    entry, _ = team.audit_log(session, member)[0]
    assert (entry.action, entry.detail["before"]) == ("model_version.threshold_chosen", 0.8)
    assert (entry.detail["name"], entry.detail["version_number"]) == ("intents", 1)


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(
    session: Session, member: Member, tmp_path: Path, threshold: float
) -> None:
    version = publish(session, member, tmp_path / "model")

    with pytest.raises(BadThreshold):
        thresholds.choose(session, member, version_id=version.id, threshold=threshold)


def test_a_viewer_chooses_no_threshold(session: Session, member: Member, member_as, tmp_path: Path) -> None:
    version = publish(session, member, tmp_path / "model")

    with pytest.raises(RoleMissing):
        thresholds.choose(session, member_as(Role.viewer), version_id=version.id, threshold=0.5)
