"""Which column is the text, which the label, and whether the first row names them."""

from collections.abc import Iterable, Sequence
from statistics import fmean

from services.datasets.encodings import visible

Table = Sequence[Sequence[str]]

# In order of preference: the first name that the file has is taken.
# fmt: off
_TEXT_NAMES = (
    "text", "message", "sentence", "utterance", "query", "question", "review", "comment", "tweet", "post",
    "content", "body", "description", "document", "input", "prompt", "title", "subject", "comment_text",
)
_LABEL_NAMES = (
    "label", "labels", "class", "category", "intent", "topic", "target", "sentiment", "tag", "emotion",
    "type", "output", "completion", "response", "answer", "y", "tags", "topics", "categories", "classes",
    "emotions", "intents", "relation", "gold_label", "score", "similarity", "similarity_score", "stars",
    "rating",
)
# Short and often repeated, and yet never what a model should learn.
_NEITHER = (
    "id", "uuid", "guid", "index", "idx", "no", "nr", "row", "split", "set", "fold", "lang", "language",
    "locale", "date", "time", "timestamp", "created_at", "updated_at", "author", "user", "username", "url",
)
# fmt: on
_KNOWN = {*_TEXT_NAMES, *_LABEL_NAMES, *_NEITHER}


def unique_names(cells: Iterable[str]) -> tuple[str, ...]:
    """The header's names, each once: an empty cell is called by its number, a repeated name is counted."""
    names: list[str] = []
    for number, cell in enumerate(cells, 1):
        name = base = visible(cell).strip() or f"column {number}"
        repeat = 2
        while name in names:
            name, repeat = f"{base} {repeat}", repeat + 1
        names.append(name)
    return tuple(names)


def looks_like_header(rows: Table) -> bool:
    """Does the first row name the columns rather than fill them?"""
    first, rest = rows[0], rows[1:]
    below = [{row[at].strip() for row in rest} for at in range(len(first))]
    if any(_plain(cell) in _KNOWN and cell.strip() not in below[at] for at, cell in enumerate(first)):
        return True
    if not rest or not all(cell.strip() for cell in first) or len(set(first)) < len(first):
        return False
    label = _most_repeated(rest, range(len(first)))
    # Labels come again and again; a word on top of them that never does is their name.
    return len(below[label]) * 2 <= len(rest) and first[label].strip() not in below[label]


def text_and_label(names: Sequence[str], rows: Table) -> tuple[int, int]:
    """The positions of text and label among two columns or more, by name or else by what stands in them."""
    plain = [_plain(name) for name in names]
    text, label = _first(plain, _TEXT_NAMES), _first(plain, _LABEL_NAMES)
    if label is None:
        open_columns = [at for at in range(len(names)) if at != text]
        label = _most_repeated(rows, [at for at in open_columns if plain[at] not in _NEITHER] or open_columns)
    if text is None:
        text = max((at for at in range(len(names)) if at != label), key=lambda at: _length(rows, at))
    return text, label


def is_label_name(name: str) -> bool:
    """Is a column of this name the label by its name alone?"""
    return _plain(name) in _LABEL_NAMES


def _plain(name: str) -> str:
    return name.strip().casefold().replace(" ", "_")


def _first(names: Sequence[str], wanted: Iterable[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _length(rows: Table, column: int) -> float:
    return fmean(len(row[column]) for row in rows) if rows else 0.0


def _most_repeated(rows: Table, columns: Iterable[int]) -> int:
    def share_of_different_values(column: int) -> tuple[float, float]:
        values = [row[column].strip() for row in rows if row[column].strip()]
        different = len(set(values))
        # A column of one value teaches nothing.
        return (different / len(values) if different > 1 else 2.0, _length(rows, column))

    return min(columns, key=share_of_different_values)
