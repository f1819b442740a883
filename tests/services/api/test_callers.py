"""Who may call: a live key, or a person whom the portal vouches for and who is still a member."""

from fastapi.testclient import TestClient
from httpx2 import Response

from services.accounts import keys, team
from services.accounts.scope import Member, Role
from services.accounts.tables import Tenant, User
from services.clock import now
from services.db import reading, transaction
from services.inference import tokens
from tests import factories
from tests.conftest import Clock
from tests.services.api.conftest import Workspace, on_both_databases, refused


def as_person(http: TestClient, member: Member, *, path: str = "/v1/files") -> Response:
    return http.get(path, headers={"Authorization": f"Bearer {tokens.issue(member)}"})


def suspend(member: Member) -> None:
    with transaction() as db:
        db.get_one(Tenant, member.tenant_id).suspended_at = now()


def test_nobody_calls_without_a_key(workspace: Workspace) -> None:
    secret = workspace.secret
    wrong = ("Bearer", "Bearer tp_nonsense", "Bearer sk-1234", f"Bearer {secret}x", f"Basic {secret}")
    for header in (None, "", secret, *wrong):
        headers = {} if header is None else {"Authorization": header}
        answer = workspace.http.get("/v1/files", headers=headers)

        refused(answer, 401, "bad_api_key")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert workspace.call("GET", "/v1/files").status_code == 200


@on_both_databases
def test_a_revoked_key_is_dead_at_once(workspace: Workspace) -> None:
    assert workspace.call("GET", "/v1/files").status_code == 200

    with transaction() as db:
        keys.revoke_key(db, workspace.member, key_id=workspace.key_id)

    refused(workspace.call("GET", "/v1/files"), 401, "bad_api_key")


def test_the_last_use_of_a_key_is_noted(workspace: Workspace) -> None:
    workspace.call("GET", "/v1/files")

    with reading() as db:
        (key,) = keys.list_keys(db, workspace.member)
    assert key.last_used_at is not None


def test_a_suspended_workspace_is_refused_by_key_and_in_person(workspace: Workspace) -> None:
    suspend(workspace.member)

    refused(workspace.call("GET", "/v1/files"), 403, "workspace_suspended")
    refused(workspace.call("GET", "/v1/invoices"), 403, "workspace_suspended")
    refused(as_person(workspace.http, workspace.member), 403, "workspace_suspended")


def test_a_person_calls_with_the_portals_word(workspace: Workspace, clock: Clock) -> None:
    token = tokens.issue(workspace.member)
    headers = {"Authorization": f"Bearer {token}"}
    assert workspace.http.get("/v1/files", headers=headers).status_code == 200

    clock.advance(61)

    refused(workspace.http.get("/v1/files", headers=headers), 401, "bad_token")


@on_both_databases
def test_a_persons_role_and_membership_are_read_anew(workspace: Workspace) -> None:
    with transaction() as db:
        colleague = factories.create_member(db, tenant_id=workspace.member.tenant_id, role=Role.owner)
    assert as_person(workspace.http, colleague, path="/v1/invoices").status_code == 200

    with transaction() as db:
        team.change_role(db, workspace.member, user_id=str(colleague.user_id), role=Role.viewer)
    refused(as_person(workspace.http, colleague, path="/v1/invoices"), 403, "role_missing")

    with transaction() as db:
        team.remove_member(db, workspace.member, user_id=str(colleague.user_id))
    refused(as_person(workspace.http, colleague), 401, "bad_token")


def test_a_person_is_no_member_elsewhere(workspace: Workspace) -> None:
    with transaction() as db:
        other = factories.create_member(db)
    forged = Member(tenant_id=other.tenant_id, role=Role.owner, user_id=workspace.member.user_id)

    refused(as_person(workspace.http, forged), 401, "bad_token")


def test_a_disabled_person_is_shut_out(workspace: Workspace) -> None:
    with transaction() as db:
        db.get_one(User, workspace.member.user_id).disabled_at = now()

    refused(as_person(workspace.http, workspace.member), 403, "person_disabled")


def test_a_key_reads_invoices_as_far_as_its_maker_may(workspace: Workspace) -> None:
    assert workspace.call("GET", "/v1/invoices").status_code == 200

    with transaction() as db:
        editor = factories.create_member(db, tenant_id=workspace.member.tenant_id, role=Role.editor)
        _, of_editor = keys.create_key(db, editor, name="editor's")
        _, of_operator = keys.create_key(
            db, Member(tenant_id=workspace.member.tenant_id, role=Role.owner), name="operator's"
        )
    by_editor = workspace.http.get("/v1/invoices", headers={"Authorization": f"Bearer {of_editor}"})
    refused(by_editor, 403, "role_missing")
    by_operator = workspace.http.get("/v1/invoices", headers={"Authorization": f"Bearer {of_operator}"})
    assert by_operator.status_code == 200

    with transaction() as db:
        team.change_role(db, workspace.member, user_id=str(editor.user_id), role=Role.owner)
    by_owner = workspace.http.get("/v1/invoices", headers={"Authorization": f"Bearer {of_editor}"})
    assert by_owner.status_code == 200
