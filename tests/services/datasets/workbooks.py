"""Excel workbooks for tests, put together from their parts."""

import io
import zipfile
from collections.abc import Iterable, Sequence
from html import escape

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOCUMENT = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def zip_of(**files: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def workbook(**sheets: str) -> bytes:
    """A workbook of sheets, each given by the XML of its rows."""
    numbers = dict(enumerate(sheets, 1))
    named = "".join(f'<sheet name="{name}" sheetId="{at}" r:id="r{at}"/>' for at, name in numbers.items())
    related = "".join(_relation(f"r{at}", "worksheet", f"worksheets/{at}.xml") for at in numbers)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"/>',
        "_rels/.rels": _relations(_relation("r1", "officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_DOCUMENT}">'
        f"<sheets>{named}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _relations(related),
        **{
            f"xl/worksheets/{at}.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>'
            for at, rows in enumerate(sheets.values(), 1)
        },
    }
    return zip_of(**{name: part.encode() for name, part in parts.items()})


def rows_of(table: Iterable[Sequence[object]]) -> str:
    """Texts and numbers as rows from A1 on; None leaves a cell out."""
    return "".join(
        f'<row r="{row}">'
        + "".join(cell(f"{chr(65 + at)}{row}", value) for at, value in enumerate(cells) if value is not None)
        + "</row>"
        for row, cells in enumerate(table, 1)
    )


def cell(place: str, value: object) -> str:
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{escape(str(value))}</t></is></c>'


def _relations(inside: str) -> str:
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{inside}</Relationships>'


def _relation(name: str, kind: str, target: str) -> str:
    return f'<Relationship Id="{name}" Target="{target}" Type="{_DOCUMENT}/{kind}"/>'
