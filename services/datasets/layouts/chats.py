"""Conversations: OpenAI's messages, prompts and completions, Alpaca's instructions, ShareGPT's turns."""

import json
from collections.abc import Sequence
from typing import Any

from services.datasets.dropped import DropCode
from services.datasets.examples import ChatExample, ChatRole, Example, Message
from services.datasets.formats import Format, Layout
from services.datasets.layouts.columns import Interpret
from services.datasets.layouts.faults import text_fault
from services.datasets.layouts.recognised import Confidence, Recognised, Rows, confidence_of, is_most
from services.datasets.limits import MAX_MESSAGES
from services.datasets.notes import NoteCode, Notes
from services.datasets.records import Fields, scalar
from services.training.recipe import Task

_MESSAGES = ("messages", "conversations", "conversation", "dialogue", "dialog", "turns", "chat")
_PROMPTS = (("prompt", "completion"), ("prompt", "response"), ("instruction", "response"))
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


def recognise_messages(names: Sequence[str], rows: Rows) -> Recognised | None:
    """Conversations, if a column holds lists of turns."""
    for column in _MESSAGES:
        for mark, layout, tool in (
            ("role", Layout.messages, "OpenAI's messages"),
            ("from", Layout.sharegpt, "ShareGPT"),
        ):
            talks = [fields for fields in rows if _is_talk(fields.get(column), mark)]
            if column in names and is_most(talks, rows):
                return _conversation_in(
                    layout, column, None, confidence_of(talks, rows), f"“{column}” holds turns as in {tool}."
                )
    return None


def recognise_alpaca(names: Sequence[str], _: Rows) -> Recognised | None:
    """Alpaca's instructions, if the columns are called so."""
    if not {"instruction", "output"} <= set(names):
        return None
    found = _conversation_in(
        Layout.alpaca,
        "instruction",
        "output",
        Confidence.certain,
        "Columns are called “instruction” and “output”, as Alpaca's.",
    )
    if "input" in names:
        found.fields["pair_column"] = "input"
    return found


def recognise_prompts(names: Sequence[str], rows: Rows) -> Recognised | None:
    """Prompts and completions, if the columns are called so and the completions are no labels."""
    for prompt, completion in _PROMPTS:
        if prompt in names and completion in names:
            answers = [str(fields.get(completion)) for fields in rows]
            # Few different completions to many prompts are labels.
            if len(set(answers)) * 2 > len(answers):
                reason = f"Columns are called “{prompt}” and “{completion}”, and most completions differ."
                return _conversation_in(
                    Layout.prompt_completion, prompt, completion, Confidence.likely, reason
                )
    return None


def interpreter_messages(form: Format, notes: Notes) -> Interpret:
    """What makes a conversation of a list of messages, or says why it cannot."""

    def interpret(row: int, fields: Fields) -> Example | DropCode:
        if form.text_column not in fields:
            return DropCode.missing_field
        turns = _decoded(fields[form.text_column])
        if not isinstance(turns, list):
            return DropCode.wrong_type
        system = [{"role": _SYSTEM, "content": fields[_SYSTEM]}] if fields.get(_SYSTEM) else []
        return _conversation(row, [*system, *turns], notes)

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
        return _conversation(row, [*system, *asked, *answered], notes)

    return interpret


def _conversation(row: int, turns: list[Any], notes: Notes) -> Example | DropCode:
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


def _is_talk(value: Any, mark: str) -> bool:
    if isinstance(value, list):
        return bool(value) and isinstance(value[0], dict) and mark in value[0]
    return isinstance(value, str) and value.lstrip().startswith("[{") and f'"{mark}"' in value


def _conversation_in(
    layout: Layout, text: str, label: str | None, confidence: Confidence, reason: str
) -> Recognised:
    fields = {"layout": layout, "text_column": text, "label_column": label, "task": Task.chat}
    return Recognised(fields, confidence, reason)
