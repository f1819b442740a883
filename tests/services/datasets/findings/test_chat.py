import pytest

from services.datasets.examples import ChatExample, ChatRole, Message
from services.datasets.findings.catalogue import Code
from services.datasets.findings.chat import in_order
from tests.services.datasets.findings.examined import rows

ROLES = {"s": ChatRole.system, "u": ChatRole.user, "a": ChatRole.assistant, "t": ChatRole.tool}


def turns(roles: str) -> tuple[Message, ...]:
    return tuple(Message(ROLES[role], f"words {role}") for role in roles)


@pytest.mark.parametrize("roles", ["ua", "sua", "uaua", "suata", "uatta"])
def test_roles_that_take_turns_are_in_order(roles: str) -> None:
    assert in_order(turns(roles))


@pytest.mark.parametrize("roles", ["", "a", "u", "su", "uu", "uau", "usa", "au", "uaa", "uta", "ssua"])
def test_other_roles_are_out_of_order(roles: str) -> None:
    assert not in_order(turns(roles))


def test_conversations_with_a_turn_without_words_are_told() -> None:
    silent = ChatExample(3, (Message(ChatRole.user, "hello?"), Message(ChatRole.assistant, "  ")))

    assert rows([ChatExample(2, turns("ua")), silent], Code.empty_turn) == [3]
    assert rows([ChatExample(2, turns("ua")), ChatExample(3, turns("au"))], Code.roles_out_of_order) == [3]
