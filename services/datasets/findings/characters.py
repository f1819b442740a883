"""What stands in texts and is no language: control characters, letters broken by a wrong encoding, HTML."""

import html
import re
from collections.abc import Iterator

from services.datasets.findings.catalogue import Code
from services.datasets.findings.corpus import Corpus, first_of_each
from services.datasets.findings.finding import Finding

_CONTROL = re.compile(
    "[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb]"
)
# Each character of Windows-1252 and its byte; the five bytes without one pass as control characters.
_BYTES = {bytes([byte]).decode("cp1252", "ignore") or chr(byte): byte for byte in range(0x80, 0x100)}
# What the second and further bytes of UTF-8 become where they are read as Windows-1252.
_REST = re.escape("".join(character for character, byte in _BYTES.items() if byte < 0xC0))
_BROKEN = re.compile(f"(?:[ÂÃ][{_REST}]|â[{_REST}]{{2}}|ðŸ[{_REST}]{{2}}|(?:[ÐÑ][{_REST}]){{2,}})+")
_MOJIBAKE = re.compile(f"{_BROKEN.pattern}|\ufffd+")
_TAGS = (
    "a|abbr|b|blockquote|body|br|button|code|div|em|font|form|h[1-6]|head|hr|html|i|iframe|img|input|label|"
    "li|link|meta|ol|option|p|pre|s|script|section|select|small|span|strong|style|sub|sup|svg|table|tbody|td|"
    "textarea|th|thead|title|tr|u|ul|video"
)
_TAG = re.compile(rf"</?(?:{_TAGS})(?:\s[^<>\0]*)?/?>|<!--[^<>\0]*-->", re.IGNORECASE)
_HTML = re.compile(
    rf"{_TAG.pattern}|&(?:amp|lt|gt|quot|apos|nbsp|#\d{{2,6}}|#x[0-9a-f]{{2,5}});", re.IGNORECASE
)


def check(corpus: Corpus) -> Iterator[Finding]:
    """Rows with any of the three, the spots marked."""
    # Most texts have not even the letters that these begin with, which is seen much faster.
    foreign = [at for at, text in enumerate(corpus.texts) if not text.isascii()]
    marked = [at for at, text in enumerate(corpus.texts) if "<" in text or "&" in text]
    for code, pattern, among in (
        (Code.control_characters, _CONTROL, None),
        (Code.mojibake, _MOJIBAKE, foreign),
        (Code.html, _HTML, marked),
    ):
        spots = first_of_each(corpus.spots(pattern, among))
        yield from corpus.finding(code, [at for at, _, _ in spots], spots=spots)


def cleaned(text: str) -> str:
    """The text without HTML and control characters, with broken letters repaired where that can be done."""
    text = _BROKEN.sub(lambda found: _repaired(found[0]), text)
    if _HTML.search(text):
        text = " ".join(html.unescape(_TAG.sub(" ", text)).split())
    return _CONTROL.sub("", text).strip()


def _repaired(broken: str) -> str:
    try:
        return bytes(_BYTES[character] for character in broken).decode("utf-8")
    except UnicodeDecodeError:
        return broken
