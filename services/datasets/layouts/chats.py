"""Conversations: OpenAI's messages, prompts and completions, Alpaca's instructions, ShareGPT's turns."""

import json
from typing import Any

from services.datasets.dropped import DropCode
from services.datasets.examples import ChatExample, ChatRole, Example, Message
from services.datasets.formats import Format
from services.datasets.layouts.columns import Interpret
from services.datasets.layouts.faults import text_fault
from services.datasets.limits import MAX_MESSAGES
from services.datasets.notes import NoteCode, Notes
from services.datasets.records import Fields, scalar

# What the same speakers are called elsewhere.
_ROLES = {
    **{role.value: role for role in ChatRole},
    "developer": ChatRole.system,
    "human": ChatRole.user,
    "prompter": ChatRole.user,
    "gpt": ChatRole.assistant,
    "bot": ChatRole.assistant,
    "chatgpt": ChatRole.assistant,
    "model": ChatRole.assistant,
    "function": ChatRole.tool,
    "function_response": ChatRole.tool,
    "observation": ChatRole.tool,
}
_SYSTEM = "system"


def interpreter_messages(form: Format, notes: Notes) -> Interpret:
    """What makes a conversation of a list of messages, or says why it cannot."""

    def interpret(row: int, fields: Fields) -> Example | DropCode:
        if form.text_column not in fields:
            return DropCode.missing_field
        turns = _decoded(fields[form.text_column])
        system = [{"role": _SYSTEM, "content": fields[_SYSTEM]}] if fields.get(_SYSTEM) else []
        return conversation(row, [*system, *turns], notes) if isinstance(turns, list) else DropCode.wrong_type

    return interpret


def interpreter_prompts(form: Format, notes: Notes) -> Interpret:
    """The same for a prompt and its completion, which may be texts or messages; and for Alpaca's columns."""

    def interpret(row: int, fields: Fields) -> Example | DropCode:
        prompt, completion = fields.get(form.text_column), fields.get(form.label_column or "")
        if prompt is None or completion is None:
            return DropCode.missing_field
        more = scalar(fields.get(form.pair_column or ""))
        if isinstance(prompt, str) and more and more.strip():
            prompt = f"{prompt.strip()}\n\n{more.strip()}"
        system = _turns(ChatRole.system, fields.get(_SYSTEM) or [])
        asked, answered = _turns(ChatRole.user, prompt), _turns(ChatRole.assistant, completion)
        return conversation(row, [*system, *asked, *answered], notes)

    return interpret


def conversation(row: int, turns: list[Any], notes: Notes) -> Example | DropCode:
    """The conversation of these turns, or why it cannot be used."""
    if not turns:
        return DropCode.empty_row
    if len(turns) > MAX_MESSAGES:
        return DropCode.too_many_messages
    messages: list[Message] = []
    for turn in turns:
        message = _message(row, turn, notes)
        if isinstance(message, DropCode):
            return message
        if message.content and (fault := text_fault(message.content)):
            return fault
        messages.append(message)
    if not any(message.role is ChatRole.assistant and message.content for message in messages):
        return DropCode.no_answer
    return ChatExample(row, tuple(messages))


def _message(row: int, turn: Any, notes: Notes) -> Message | DropCode:
    if not isinstance(turn, dict):
        return DropCode.wrong_type
    named = turn.get("role", turn.get("from"))
    role = _ROLES.get(named.strip().lower()) if isinstance(named, str) else None
    if role is None:
        return DropCode.unknown_role
    content = _content(turn.get("content", turn.get("value")))
    if content is None:
        return DropCode.wrong_type
    if calls := turn.get("tool_calls") or turn.get("function_call"):
        notes.row(NoteCode.tool_calls, row)
        content = f"{content}\n{json.dumps(calls, ensure_ascii=False, sort_keys=True)}".strip()
    weight = turn.get("weight")
    if weight is not None and (type(weight) not in (int, float) or not 0 <= weight <= 1):
        return DropCode.wrong_type
    return Message(role, content.strip(), None if weight is None else float(weight))


def _content(written: Any) -> str | None:
    """The words of a message: a text, or a list of parts that are all texts."""
    match written:
        case None:
            return ""
        case str():
            return written
        case list():
            parts = [part.get("text") if isinstance(part, dict) else part for part in written]
            texts = [part for part in parts if isinstance(part, str)]
            return "\n".join(texts) if len(texts) == len(parts) else None
    return None


def _turns(role: ChatRole, said: Any) -> list[Any]:
    said = _decoded(said)
    return said if isinstance(said, list) else [{"role": role.value, "content": scalar(said)}]


def _decoded(value: Any) -> Any:
    """A list that a table holds as JSON in a cell; anything else as it is."""
    if isinstance(value, str) and value.lstrip().startswith("[{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
