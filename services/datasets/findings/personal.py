"""Personal data: patterns that propose, and checksums that decide where there are any."""

import re
from bisect import bisect
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from stdnum import iban, luhn
from stdnum.br import cpf
from stdnum.cn import ric
from stdnum.de import idnr
from stdnum.es import dni, nie
from stdnum.fr import nir
from stdnum.it import codicefiscale
from stdnum.pl import pesel
from stdnum.se import personnummer
from stdnum.us import ssn

from services.datasets.findings.catalogue import Code
from services.datasets.findings.corpus import Corpus, Spot
from services.datasets.findings.finding import Finding


@dataclass(frozen=True, slots=True)
class _Kind:
    code: Code
    pattern: re.Pattern[str]
    is_valid: Callable[[str], bool]


def _any(_: str) -> bool:
    return True


def _is_card(number: str) -> bool:
    return bool(luhn.is_valid(number.replace(" ", "").replace("-", "")))


# What is taken for one kind is not looked at for the next, so those with a checksum come first.
_KINDS = tuple(
    _Kind(code, re.compile(pattern), is_valid)
    for code, pattern, is_valid in (
        (Code.email_address, r"[\w.+-]{1,64}@(?:[\w-]{1,63}\.)+[^\W\d_]{2,24}\b", _any),
        (Code.iban, r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b", iban.is_valid),
        (Code.card_number, r"\b[2-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{1,7}\b", _is_card),
        (Code.card_number, r"\b3[47]\d{2}([ -]?)\d{6}\1\d{5}\b", _is_card),
        (Code.national_id, r"\b\d{3}-\d{2}-\d{4}\b", ssn.is_valid),
        (Code.national_id, r"\b\d{17}[\dXx]\b", ric.is_valid),
        (Code.national_id, r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b", cpf.is_valid),
        (Code.national_id, r"\b\d{2} ?\d{3} ?\d{3} ?\d{3}\b", idnr.is_valid),
        (Code.national_id, r"\b[12](?: ?\d){14}\b", nir.is_valid),
        (Code.national_id, r"\b\d{8}-?[A-Z]\b", dni.is_valid),
        (Code.national_id, r"\b[XYZ]-?\d{7}-?[A-Z]\b", nie.is_valid),
        (Code.national_id, r"\b[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z]\b", codicefiscale.is_valid),
        (Code.national_id, r"\b\d{11}\b", pesel.is_valid),
        (Code.national_id, r"\b\d{6}[-+]\d{4}\b", personnummer.is_valid),
        # No checksum: a country code, an area code in brackets or with a leading 0, or American groups.
        (Code.phone_number, r"(?<![\w+])(?<!\d )(?:\+|00)[1-9](?:[ ()./-]{0,2}\d){6,14}\b", _any),
        (Code.phone_number, r"(?<!\w)\(0?\d{2,5}\)[ -]?\d(?:[ -]?\d){4,10}\b", _any),
        (Code.phone_number, r"\b\d{3}([-. ])\d{3}\1\d{4}\b", _any),
        (Code.phone_number, r"(?<!\d )\b(?!\d\d?[-/]\d\d?[-/]\d)0\d{1,5}[ /-]\d(?:[ -]?\d){4,10}\b", _any),
    )
)
# What every one has but an e-mail address: seven digits close together, or a codice fiscale's letters.
_HINTS = (re.compile(r"[0-9](?:[ ()./-]{0,2}[0-9]){6}"), re.compile(r"[A-Z]{6}[0-9]{2}[A-Z]"))
PLACEHOLDERS = {
    Code.email_address: "[e-mail]",
    Code.iban: "[account]",
    Code.card_number: "[card]",
    Code.national_id: "[identity]",
    Code.phone_number: "[phone]",
}
KINDS = frozenset(PLACEHOLDERS)


def check(corpus: Corpus) -> Iterator[Finding]:
    """A finding for each kind of personal data, the first of each row marked."""
    spots: dict[Code, list[Spot]] = defaultdict(list)
    hinted = {at for at, text in enumerate(corpus.texts) if "@" in text}
    hinted |= {at for hint in _HINTS for at, _, _ in corpus.spots(hint)}
    for at in sorted(hinted):
        first = {code: (start, end) for code, start, end in reversed(found(corpus.texts[at]))}
        for code, (start, end) in first.items():
            spots[code].append((at, start, end))
    for code in PLACEHOLDERS:
        yield from corpus.finding(code, [at for at, _, _ in spots[code]], spots=spots[code])


def found(text: str) -> list[tuple[Code, int, int]]:
    """Each piece of personal data in a text: its kind, from where to where; none overlap."""
    if "@" not in text and not any(hint.search(text) for hint in _HINTS):
        return []
    spots: list[tuple[int, int, Code]] = []
    for kind in _KINDS:
        for match in kind.pattern.finditer(text):
            place = bisect(spots, match.span())
            beside = spots[max(0, place - 1) : place + 1]
            free = all(match.end() <= start or match.start() >= end for start, end, _ in beside)
            if free and kind.is_valid(match[0]):
                spots.insert(place, (*match.span(), kind.code))
    return [(code, start, end) for start, end, code in spots]


def redacted(text: str, kinds: Collection[Code] = KINDS) -> str:
    """The text with a word in square brackets instead of each piece of personal data."""
    for code, start, end in reversed(found(text)):
        if code in kinds:
            text = text[:start] + PLACEHOLDERS[code] + text[end:]
    return text
