import gzip

import pytest

from services.datasets import packing
from services.datasets.errors import DamagedFile, UnpacksTooLarge
from services.datasets.formats import Packing
from services.datasets.packing import packing_of, unpack
from tests.services.datasets.workbooks import workbook, zip_of

CSV = b"text,label\na,x\n"


def test_a_workbook_is_no_archive_to_people() -> None:
    assert packing_of(workbook(Data="")) is None
    assert packing_of(zip_of(data=CSV)) is Packing.zip
    assert packing_of(CSV) is None


def test_gzip_files_one_after_another_are_one_file() -> None:
    assert unpack(gzip.compress(CSV) + gzip.compress(CSV) + b"\0" * 100, Packing.gzip) == CSV * 2


def test_folders_and_clutter_of_systems_are_no_files() -> None:
    content = zip_of(**{"data/": b"", "data/a.csv": CSV, "__MACOSX/._a.csv": b"x", "data/.DS_Store": b"x"})

    assert unpack(content, Packing.zip) == CSV


@pytest.mark.parametrize("size", [99, 100])
def test_unpacking_stops_at_the_limit(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MAX_UNPACKED_BYTES", 99)

    for how, content in ((Packing.gzip, gzip.compress(b"x" * size)), (Packing.zip, zip_of(a=b"x" * size))):
        if size == 99:
            assert len(unpack(content, how)) == 99
        else:
            with pytest.raises(UnpacksTooLarge):
                unpack(content, how)


def test_what_is_damaged_is_said_to_be() -> None:
    for how, content in ((Packing.gzip, gzip.compress(CSV)[:-9]), (Packing.zip, zip_of(a=CSV)[:-9])):
        with pytest.raises(DamagedFile):
            unpack(content, how)
