import pytest

from services.datasets.encodings import Encoding, decode, detect_encoding, is_readable, visible
from services.datasets.errors import BinaryFile, EmptyFile, FileTooLarge, UnsupportedFormat
from services.datasets.limits import MAX_BYTES

GERMAN = "Die Größe stimmt nicht,rückgabe\nWo ist mein Paket für Köln?,lieferung\n"
CHINESE = "我的快递什么时候到,物流\n我想退货，衣服太小了,退货\n发票怎么开,发票\n"


@pytest.mark.parametrize(
    ("text", "codec", "encoding"),
    [
        ("plain,words\n", "ascii", Encoding.utf_8),
        (GERMAN + CHINESE, "utf-8", Encoding.utf_8),
        (GERMAN, "utf-8-sig", Encoding.utf_8),
        (CHINESE, "utf-16", Encoding.utf_16_le),
        (GERMAN, "utf-16-le", Encoding.utf_16_le),
        (GERMAN, "utf-16-be", Encoding.utf_16_be),
        (CHINESE, "gb18030", Encoding.gb18030),
        (GERMAN, "cp1252", Encoding.windows_1252),
        ("Où est ma commande passée hier ?,livraison\n", "cp1252", Encoding.windows_1252),
        ("It costs 5£,price\n" + "hello my friend,greeting\n" * 50, "cp1252", Encoding.windows_1252),
    ],
)
def test_every_encoding_is_recognised_and_read(text: str, codec: str, encoding: Encoding) -> None:
    content = text.encode(codec)

    assert detect_encoding(content) is encoding
    assert decode(content, encoding) == text


def test_an_accent_far_down_a_long_file_decides_its_encoding() -> None:
    content = b"hello,greeting\n" * 100_000 + "Grüße,greeting\n".encode("cp1252")

    assert detect_encoding(content) is Encoding.windows_1252


def test_one_damaged_byte_does_not_change_a_files_encoding() -> None:
    content = GERMAN.encode() * 5 + b"broken \xff here,x\n"

    assert detect_encoding(content) is Encoding.utf_8
    lines = decode(content, Encoding.utf_8).splitlines()
    assert [is_readable(line) for line in lines] == [True] * 10 + [False]
    assert visible(lines[-1]) == "broken \ufffd here,x"


def test_a_replacement_sign_that_came_with_the_file_is_readable() -> None:
    assert is_readable(decode("already lost: \ufffd".encode(), Encoding.utf_8))


@pytest.mark.parametrize("content", [b"", b"  \r\n\t\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_a_file_without_words_is_empty(content: bytes) -> None:
    with pytest.raises(EmptyFile):
        decode(content, detect_encoding(content))


@pytest.mark.parametrize("content", [b"a,b\x00c\n", bytes(range(256)) * 4, b"text \x01\x02\x03\x04\n"])
def test_bytes_that_are_no_text_are_refused(content: bytes) -> None:
    with pytest.raises(BinaryFile):
        decode(content, detect_encoding(content))


def test_a_nul_beyond_the_sample_is_refused_too() -> None:
    content = b"hello,greeting\n" * 10_000 + b"\x00"

    with pytest.raises(BinaryFile):
        decode(content, detect_encoding(content))


@pytest.mark.parametrize(
    ("content", "found"), [(b"PK\x03\x04....", "Excel"), (b"%PDF-1.7", "PDF"), (b"\x1f\x8b\x08", "gzip")]
)
def test_a_known_container_is_named(content: bytes, found: str) -> None:
    with pytest.raises(UnsupportedFormat, match=found):
        detect_encoding(content)


def test_a_file_over_the_limit_is_refused_with_both_figures() -> None:
    with pytest.raises(FileTooLarge, match=r"has 200\.0 MB, and up to 200 MB") as refused:
        decode(b"a" * (MAX_BYTES + 1), Encoding.utf_8)

    assert refused.value.status == 413
