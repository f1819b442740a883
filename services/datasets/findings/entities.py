"""Entities that cannot be told from the words around them."""

from collections.abc import Iterator

from services.datasets.examples import TokenExample
from services.datasets.findings.catalogue import Code
from services.datasets.findings.corpus import Corpus
from services.datasets.findings.finding import Finding
from services.datasets.readers.tags import OUTSIDE

# Single words may well be entities: a list of names beside sentences does no harm.
_FEWEST_SHARE = 0.5


def check(corpus: Corpus) -> Iterator[Finding]:
    """Sentences without a single O, where they are most of what there is.

    What readers put right or refuse (spaces at the edge of an entity, overlaps, ends beyond the text) is told
    by their notes and reasons.
    """
    tagged = [
        (at, example) for at, example in enumerate(corpus.examples) if isinstance(example, TokenExample)
    ]
    never = [at for at, example in tagged if OUTSIDE not in example.tags]
    if len(never) > _FEWEST_SHARE * len(tagged):
        yield from corpus.finding(Code.never_outside, never)
