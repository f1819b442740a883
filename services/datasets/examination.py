"""What a person decides by before a file is frozen: what it makes, what is wrong with it, what was done."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from services.datasets.examples import Example
from services.datasets.findings.amount import Meter
from services.datasets.findings.catalogue import Severity
from services.datasets.findings.examine import examine
from services.datasets.findings.finding import Excerpt, Finding
from services.datasets.findings.lengths import estimated_tokens
from services.datasets.fixes import Change, DropRows, Fix, suggested
from services.datasets.formats import Format
from services.datasets.limits import MAX_TEXT_CHARACTERS
from services.datasets.mending import mend
from services.datasets.preview import DEFAULT_SEED, Line, Preview, preview_and_splits
from services.datasets.reading import Reading
from services.datasets.sandbox import Content, apart

_SHOWN_ROW_NUMBERS = 50
# A fix names its rows and is kept with the version: where more are wrong, the file is what to mend.
_MOST_DROPPED = 100_000
_ROWS_FOUND = 100
# Ends of the ranges of lengths, in tokens; no text is longer than the last.
_LENGTHS = (8, 16, 32, 64, 128, 256, 512, 1024, MAX_TEXT_CHARACTERS)


@dataclass(frozen=True)
class Told:
    """A finding as a page tells it: the numbers of the first rows, and the fix that one press would do."""

    code: str
    severity: Severity
    count: int
    rows: tuple[int, ...]
    excerpts: tuple[Excerpt, ...]
    title: str
    detail: str
    why: str
    what_to_do: str
    fix: Fix | None


@dataclass(frozen=True)
class Examination:
    """A file after its fixes, all that is found in it, how much there is, and what each fix did."""

    preview: Preview
    findings: tuple[Told, ...]
    meter: Meter
    changes: tuple[Change, ...]
    # Texts by about how many tokens they have: upper end of a range -> texts; the last range has none.
    lengths: dict[int, int]


FIXES = TypeAdapter(list[Fix])
EXAMINATION = TypeAdapter(Examination)
ROWS = TypeAdapter(tuple[Line, ...])


def examined(
    content: Content, form: Format, *, fixes: Sequence[Fix] = (), seed: int = DEFAULT_SEED
) -> Examination:
    """Examine a file, read in a format, after its fixes.

    Raises:
        ServiceError: it cannot be read at all, as `read` and `sandbox.apart` say; EditUnfit: see `fixes`.
    """
    with apart("examine", content, **_plain(form, fixes), seed=seed) as (result, _):
        return EXAMINATION.validate_json(result)


def find_rows(
    content: Content,
    form: Format,
    *,
    fixes: Sequence[Fix] = (),
    numbers: Sequence[int] = (),
    words: str = "",
) -> tuple[Example, ...]:
    """The first hundred rows with these numbers, or else with these words in their text, after the fixes.

    Raises:
        ServiceError: as for `examined`.
    """
    asked = {"numbers": list(numbers), "words": words}
    with apart("find_rows", content, **_plain(form, fixes), **asked) as (result, _):
        return ROWS.validate_json(result)


def examination_of(reading: Reading, fixes: Sequence[Fix], *, seed: int) -> Examination:
    """What is to be told of a reading."""
    mended = mend(reading, fixes)
    seen, splits = preview_and_splits(mended.reading, seed=seed)
    diagnosis = examine(
        mended.reading.examples,
        mended.reading.dropped,
        notes=mended.reading.notes,
        splits=splits,
        problem=seen.problem,
    )
    return Examination(
        preview=seen,
        findings=tuple(_told(finding) for finding in diagnosis.findings),
        meter=diagnosis.meter,
        changes=mended.changes,
        lengths=_lengths(mended.reading.examples),
    )


def rows_of(
    reading: Reading, fixes: Sequence[Fix], *, numbers: Sequence[int], words: str
) -> tuple[Example, ...]:
    """See `find_rows`."""
    wanted, spoken = set(numbers), words.casefold()
    examples = mend(reading, fixes).reading.examples
    if wanted:
        found = [example for example in examples if example.row in wanted]
    else:
        found = [example for example in examples if spoken in example.text.casefold()]
    return tuple(found[:_ROWS_FOUND])


def _lengths(examples: Sequence[Example]) -> dict[int, int]:
    counts = dict.fromkeys(_LENGTHS, 0)
    for example in examples:
        tokens = estimated_tokens(example.text)
        counts[next(end for end in _LENGTHS if tokens <= end)] += 1
    return counts


def _told(finding: Finding) -> Told:
    fix = suggested(finding)
    if isinstance(fix, DropRows) and len(fix.rows) > _MOST_DROPPED:
        fix = None
    return Told(
        code=finding.code,
        severity=finding.severity,
        count=finding.count,
        rows=tuple(finding.rows[:_SHOWN_ROW_NUMBERS]),
        excerpts=finding.excerpts,
        title=finding.title,
        detail=finding.detail,
        why=finding.why,
        what_to_do=finding.what_to_do,
        fix=fix,
    )


def _plain(form: Format, fixes: Sequence[Fix]) -> dict[str, Any]:
    return {"form": form.model_dump(mode="json"), "fixes": [fix.model_dump(mode="json") for fix in fixes]}
