"""A PDF/A-3 that says that it carries a Factur-X invoice.

Typst embeds the file and its relation to the document. The description of it in the metadata is what Typst
cannot write, so that is appended as an incremental update (ISO 32000-1, 7.5.6): nothing before it changes.
"""

import re
from importlib import resources

FILE_NAME = "factur-x.xml"
_SCHEMA = resources.files(__package__).joinpath("factur-x.xmp").read_bytes().strip()
_METADATA = re.compile(
    rb"(\d+) 0 obj\n<</Length \d+/Type/Metadata/Subtype/XML>>\nstream\n(.*?)\nendstream", re.DOTALL
)
_TRAILER = re.compile(rb"trailer\n(<<.*?>>)\nstartxref\n(\d+)\n%%EOF\s*$", re.DOTALL)
_SCHEMAS_END, _END = b"</rdf:Bag></pdfaExtension:schemas>", b"</rdf:RDF>"


def described(pdf: bytes, *, kind: str = "INVOICE") -> bytes:
    """The same PDF, with metadata that name its embedded invoice.

    Raises:
        ValueError: the PDF is not one of Typst's, or has no metadata of an archive.
    """
    found, trailer = _METADATA.search(pdf), _TRAILER.search(pdf)
    if found is None or trailer is None or _SCHEMAS_END not in found[2]:
        raise ValueError("no PDF/A with readable metadata")
    schema, properties = _SCHEMA.split(b"<!-- properties -->")
    metadata = found[2].replace(_SCHEMAS_END, schema.strip() + _SCHEMAS_END)
    metadata = metadata.replace(_END, properties.strip().replace(b"{kind}", kind.encode()) + _END)
    number = int(found[1])
    update = b"\n%d 0 obj\n<</Length %d/Type/Metadata/Subtype/XML>>\nstream\n%s\nendstream\nendobj\n" % (
        number,
        len(metadata),
        metadata,
    )
    place = len(pdf) + 1
    begins = len(pdf) + len(update)
    return (
        pdf
        + update
        + b"xref\n%d 1\n%010d 00000 n\r\n" % (number, place)
        + b"trailer\n%s/Prev %s>>\nstartxref\n%d\n%%%%EOF\n" % (trailer[1][:-2], trailer[2], begins)
    )
