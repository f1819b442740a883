"""How long the rows of a data set are, counted in tokens: what a quote is made from. Pure; no torch."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping

from pydantic import Field, TypeAdapter

from services.training.recipe import Frozen

# Upper ends of the stretches that lengths are counted in; a cut at one of them is counted exactly.
ENDS = (*range(1, 33), *range(40, 129, 8), *range(160, 513, 32), *range(640, 2_049, 128))
ENDS += (*range(2_560, 8_193, 512), 1 << 31)
# Of English letters as of tweets with names and addresses in them; and the marks around every row, of a
# conversation with a system's turn and those around three turns.
_CHARACTERS_PER_TOKEN = 3.5
_MARKS_PER_ROW, _MARKS_PER_CONVERSATION = 2, 40


class Lengths(Frozen):
    """Rows by their length: upper end of a stretch of lengths -> rows in it, and their tokens together."""

    stretches: dict[int, tuple[int, int]] = Field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many there are."""
        return sum(rows for rows, _ in self.stretches.values())

    @property
    def tokens(self) -> int:
        """Of all rows together."""
        return sum(tokens for _, tokens in self.stretches.values())

    def cut(self, length: int | None) -> int:
        """Tokens of all rows together, where none is read beyond a length; None cuts none."""
        if length is None:
            return self.tokens
        return sum(
            tokens if end <= length else min(tokens, rows * length)
            for end, (rows, tokens) in self.stretches.items()
        )

    def times(self, factor: float) -> "Lengths":
        """The same with more or fewer rows of each length."""
        return Lengths(
            stretches={
                end: (round(rows * factor), round(tokens * factor))
                for end, (rows, tokens) in self.stretches.items()
            }
        )


class Amount(Frozen):
    """What there is to read of a split: whole rows, marks included, as they are trained on."""

    rows: Lengths = Lengths()
    # Of pairs each text for itself and once, as a frozen base model reads them; otherwise these are the rows.
    texts: Lengths | None = None

    def times(self, factor: float) -> "Amount":
        """The same of more or fewer rows."""
        return Amount(
            rows=self.rows.times(factor), texts=None if self.texts is None else self.texts.times(factor)
        )

    @property
    def read_once(self) -> Lengths:
        """What a frozen base model reads."""
        return self.texts or self.rows


AMOUNTS = TypeAdapter(dict[str, Amount])


def lengths_of(tokens: Iterable[int]) -> Lengths:
    """Rows of so many tokens each."""
    rows: Counter[int] = Counter()
    together: Counter[int] = Counter()
    for length in tokens:
        end = ENDS[bisect_left(ENDS, length)]
        rows[end] += 1
        together[end] += length
    return Lengths(stretches={end: (rows[end], together[end]) for end in sorted(rows)})


def guessed(splits: Mapping[str, int], characters: int, *, chat: bool) -> dict[str, Amount]:
    """Amounts where nothing was counted: rows alike, which have so many characters together."""
    marks = _MARKS_PER_CONVERSATION if chat else _MARKS_PER_ROW
    per_row = round(characters / max(1, sum(splits.values())) / _CHARACTERS_PER_TOKEN + marks)
    return {
        split: Amount(rows=Lengths(stretches={per_row: (rows, rows * per_row)}))
        for split, rows in splits.items()
    }
