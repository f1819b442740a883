"""What the doctor says of some rows, for tests."""

from collections.abc import Sequence

from services.datasets.examples import Example, TextExample
from services.datasets.findings.catalogue import Code
from services.datasets.findings.examine import examine
from services.datasets.findings.finding import Finding


def of_texts(*texts: str) -> list[TextExample]:
    """The texts under two labels in turn, from row 2 on."""
    return [TextExample(row, text, "ab"[row % 2]) for row, text in enumerate(texts, 2)]


def found(examples: Sequence[Example], code: Code, **what: object) -> Finding | None:
    """The finding of that code, if there is one."""
    findings = {finding.code: finding for finding in examine(examples, **what).findings}
    return findings.get(code)


def rows(examples: Sequence[Example], code: Code, **what: object) -> list[int]:
    """The rows of the finding of that code."""
    finding = found(examples, code, **what)
    return list(finding.rows) if finding else []


def marked(examples: Sequence[Example], code: Code) -> list[str]:
    """The spots that its excerpts mark."""
    finding = found(examples, code)
    return [shown.text[shown.start : shown.end] for shown in finding.excerpts] if finding else []
