import json

import pytest

from services.datasets.detection import detect
from services.datasets.dropped import DropCode
from services.datasets.examples import ChatExample, ChatRole, Message
from services.datasets.formats import Layout
from services.datasets.limits import MAX_MESSAGES
from services.datasets.notes import NoteCode
from services.datasets.reading import read
from services.training.recipe import Task
from tests.services.datasets.factories import jsonl_form

USER, ASSISTANT = {"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}
HELLO = (Message(ChatRole.user, "Hi"), Message(ChatRole.assistant, "Hello."))
FORM = jsonl_form(
    layout=Layout.messages, columns=("messages",), text_column="messages", label_column=None, task=Task.chat
)


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([], DropCode.empty_row),
        ("hello", DropCode.wrong_type),
        (["hello"], DropCode.wrong_type),
        ([USER], DropCode.no_answer),
        ([USER, {"role": "assistant", "content": " "}], DropCode.no_answer),
        ([{"content": "Hi"}, ASSISTANT], DropCode.unknown_role),
        ([{"role": "narrator", "content": "Hi"}, ASSISTANT], DropCode.unknown_role),
        ([USER, {**ASSISTANT, "weight": 2}], DropCode.wrong_type),
        ([USER, {**ASSISTANT, "weight": "1"}], DropCode.wrong_type),
        ([{"role": "user", "content": [{"type": "image_url"}]}, ASSISTANT], DropCode.wrong_type),
        ([{"role": "user", "content": "a\x00"}, ASSISTANT], DropCode.unreadable_row),
        ([USER] * MAX_MESSAGES + [ASSISTANT], DropCode.too_many_messages),
    ],
)
def test_a_conversation_that_cannot_be_used_is_dropped_with_its_reason(
    messages: object, code: DropCode
) -> None:
    (dropped,) = read(json.dumps({"messages": messages}).encode(), FORM).dropped

    assert dropped.code is code


def test_speakers_are_known_by_other_names() -> None:
    turns = [{"from": "Human", "value": "Hi"}, {"from": "gpt", "value": "Hello."}]

    assert read(json.dumps({"messages": turns}).encode(), FORM).examples == (ChatExample(1, HELLO),)


def test_a_table_may_hold_conversations_as_json() -> None:
    cell = json.dumps([USER, ASSISTANT]).replace('"', '""')
    content = f'id,messages\n1,"{cell}"\n2,"{cell}"\n'.encode()

    assert read(content, detect(content)).examples == (ChatExample(2, HELLO), ChatExample(3, HELLO))


def test_calls_of_tools_are_kept_as_json() -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}

    found = read(json.dumps({"messages": [USER, call]}).encode(), FORM)

    assert found.examples[0].text.endswith('[{"id": "1"}]')
    assert [note.code for note in found.notes] == [NoteCode.tool_calls]


def test_prompts_with_few_different_completions_are_labelled_texts() -> None:
    lines = [json.dumps({"prompt": f"text {row}", "completion": " ab"[row % 2 + 1]}) for row in range(20)]

    assert detect("\n".join(lines).encode()).task is Task.text_classification
