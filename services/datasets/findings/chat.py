"""Conversations that do not go as a model will be asked to go on."""

from collections.abc import Iterator, Sequence

from services.datasets.examples import ChatExample, ChatRole, Message
from services.datasets.findings.catalogue import Code
from services.datasets.findings.corpus import Corpus
from services.datasets.findings.finding import Finding

# Who may speak after whom; None is the beginning.
_AFTER: dict[ChatRole | None, set[ChatRole]] = {
    None: {ChatRole.system, ChatRole.user},
    ChatRole.system: {ChatRole.user},
    ChatRole.user: {ChatRole.assistant},
    ChatRole.assistant: {ChatRole.user, ChatRole.tool},
    ChatRole.tool: {ChatRole.tool, ChatRole.assistant},
}


def check(corpus: Corpus) -> Iterator[Finding]:
    """Conversations with roles out of order, and with turns that say nothing."""
    spoken = [
        (at, example.messages)
        for at, example in enumerate(corpus.examples)
        if isinstance(example, ChatExample)
    ]
    yield from corpus.finding(Code.roles_out_of_order, [at for at, turns in spoken if not in_order(turns)])
    empty = [at for at, turns in spoken if not all(turn.content.strip() for turn in turns)]
    yield from corpus.finding(Code.empty_turn, empty)


def in_order(messages: Sequence[Message]) -> bool:
    """Does each role follow one that it may follow, and is the last word the assistant's?"""
    before: ChatRole | None = None
    for message in messages:
        if message.role not in _AFTER[before]:
            return False
        before = message.role
    return before is ChatRole.assistant
