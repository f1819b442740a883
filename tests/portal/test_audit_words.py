"""The audit log in words."""

from portal.audit_words import about, happened


def test_an_action_is_told_as_a_noun_and_what_became_of_it() -> None:
    assert happened("api_key.created") == "API key created"
    assert happened("member.role_changed") == "Member role changed"


def test_a_subject_is_called_by_its_best_name() -> None:
    names = {"usr_1": "Anna Berg"}

    assert about("usr_1", {"role": "viewer"}, names) == "Anna Berg, viewer"
    assert about("key_1", {"name": "Nightly batch"}, names) == "Nightly batch"
    assert about("job_1", {"model": "cards", "preset": "quick"}, names) == "cards"
    assert about("dsv_1", {"name": "Cards", "version_number": 2}, names) == "Cards, version 2"
    assert about("usr_2", {}, names) == "usr_2"
