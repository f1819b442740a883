"""Examples as a model sees them: cut into sub-words, cut off where they are too long, with their answers."""

from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from pydantic import TypeAdapter

from portal.errors import show
from portal.highlight import literal
from services.config import settings
from services.datasets.examples import (
    ChatExample,
    Example,
    MultiLabelExample,
    PairExample,
    ScoreExample,
    TextExample,
    TokenExample,
    from_line,
    to_line,
)
from services.datasets.findings.lengths import CHAT_TOKENS, TEXT_TOKENS
from services.errors import ServiceError
from services.training.bases import catalogue
from services.training.conversations import TemplateUnsuitable
from services.training.examples import Message
from services.training.recipe import Task, default_base_model
from services.training.reporting import seen
from services.training.reporting.seen import Piece, Seen

_SHOWN = 10
_PIECES_SHOWN = 60
_SEEN = TypeAdapter(list[Seen])


def model_view(examples: Sequence[Example], task: Task) -> None:
    """The first ten examples, as the task's default base model reads them."""
    some = examples[:_SHOWN]
    base_model, limit = default_base_model(task), CHAT_TOKENS if task is Task.chat else TEXT_TOKENS
    # A chat model may have to be fetched first, and is large.
    if task is Task.chat and not st.toggle("Cut them into the pieces that the model reads", key="model_view"):
        return
    try:
        found = _SEEN.validate_json(_seen(base_model, limit, tuple(to_line(one) for one in some)))
    except ServiceError as problem:
        show(problem)
        return
    except TemplateUnsuitable as problem:
        st.caption(f"The template of {base_model} does not fit these conversations: {literal(str(problem))}")
        return
    with st.container(border=True, gap="xsmall"):
        for example, one in zip(some, found, strict=True):
            st.markdown(_line(one, example))
    marked = {
        Task.chat: " Green is what it learns to say.",
        Task.token_classification: " Green are entities. Longer sentences are read in several stretches.",
    }
    st.caption(
        f"The base model {base_model} reads up to {limit:,} of such pieces of an example."
        + marked.get(task, "")
    )


@st.cache_data(max_entries=64, show_spinner="Fetching the base model and cutting into pieces …")
def _seen(base_model: str, limit: int, lines: tuple[str, ...]) -> bytes:
    folder = catalogue.resolve(base_model, settings().cache_folder)
    return _SEEN.dump_json(_read([from_line(line) for line in lines], folder=folder, limit=limit))


def _read(some: Sequence[Example], *, folder: Path, limit: int) -> list[Seen]:
    match some:
        case [ChatExample(), *_]:
            talks = [
                [Message(turn.role.value, turn.content, turn.weight) for turn in one.messages]
                for one in some
                if isinstance(one, ChatExample)
            ]
            return seen.conversations(folder, talks, max_length=limit)
        case [TokenExample(), *_]:
            tagged = [(one.tokens, one.tags) for one in some if isinstance(one, TokenExample)]
            return seen.sentences(folder, tagged)
        case [PairExample(second=second) | ScoreExample(second=second), *_] if second:
            both = [(one.first, one.second) for one in some if isinstance(one, PairExample | ScoreExample)]
            return seen.pairs(folder, both, max_length=limit)
    return seen.texts(folder, [one.text for one in some], max_length=limit)


def _line(one: Seen, example: Example) -> str:
    parts = [_pieces(one.pieces)]
    if one.second:
        parts.append(f":material/arrow_forward: {_pieces(one.second)}")
    if one.cut:
        parts.append(f":red[{one.cut:,} cut off]")
    parts += [f":violet-badge[{literal(word)}]" for word in _answers(example)]
    return f":small[{' '.join(parts)}]"


def _pieces(pieces: Sequence[Piece]) -> str:
    shown = " ".join(_piece(piece) for piece in pieces[:_PIECES_SHOWN])
    more = len(pieces) - _PIECES_SHOWN
    return f"{shown} :gray[and {more:,} more]" if more > 0 else shown


def _piece(piece: Piece) -> str:
    colour = "green" if piece.marked else "blue" if piece.inside else "gray"
    return f":{colour}-background[{literal(piece.text)}]"


def _answers(example: Example) -> Sequence[str]:
    """What is to be learned of the example as a whole."""
    match example:
        case TextExample() | PairExample():
            return example.labels
        case MultiLabelExample():
            return example.labels or ("no label",)
        case ScoreExample():
            return (f"{example.score:g}",)
    return ()
