"""An invoice is checked against everything that it stands on, and the first bad record is named."""

import io
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlmodel import Session
from typer.testing import CliRunner

from services import clock, ids
from services.accounts.scope import Member
from services.billing import service as billing
from services.billing.period import Month
from services.cli.app import app
from services.ledger import sealing
from services.metering import service as metering
from services.metering.recording import settled
from services.proof import service as proof
from services.proof.bundle import NotABundle, opened
from services.proof.fault import Wrong
from services.proof.verify import Verdict, verify
from tests import factories
from tests.services.metering.factories import predictions, training

LAST_MONTH = Month.of(clock.now(), "UTC").previous
Files = dict[str, bytes]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BLOCK", 8)


def use(member: Member, number: int) -> list[object]:
    at = LAST_MONTH.start("UTC") + timedelta(hours=number)
    return [
        predictions(member.tenant_id, texts=1_000 + number, at=at, request_id=f"req_{number}"),
        training(member.tenant_id, seconds=f"{number}.5", at=at, device_class="cpu", job_id=f"job_{number}"),
    ]


def create_invoice(session: Session, member: Member) -> str:
    for number in range(10):
        metering.record(session, use(member, number))
        sealing.seal(session, member.tenant_id, until=settled(session, member.tenant_id), blocks=2)
        if number == 4:  # serials are given to all workspaces in turn
            metering.record(session, [predictions(factories.create_member(session).tenant_id)])
    before = LAST_MONTH.start("UTC") - timedelta(days=5)
    metering.record(session, [predictions(member.tenant_id, at=before)])
    metering.record(session, [predictions(member.tenant_id, at=clock.now())])
    invoice = billing.close_month(session, member, year=LAST_MONTH.year, month=LAST_MONTH.month)
    assert invoice is not None
    return invoice.number


def files_of(session: Session, member: Member, number: str) -> Files:
    file = io.BytesIO()
    proof.export(session, member, reference=number, into=file)
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def zipped(files: Files) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file


def checked(files: Files) -> Verdict:
    with opened(zipped(files)) as bundle:
        return verify(bundle)


@pytest.fixture
def files(session: Session, member: Member) -> Files:
    return files_of(session, member, create_invoice(session, member))


def test_a_right_invoice_is_right(session: Session, member: Member) -> None:
    number = create_invoice(session, member)

    verdict = proof.check(session, member, reference=number)

    assert verdict.faults == []
    assert (verdict.number, verdict.lines, verdict.is_right) == (number, 11, True)
    assert verdict.events >= 20


def test_the_same_invoice_gives_the_same_bundle(session: Session, member: Member) -> None:
    number = create_invoice(session, member)

    bundles = [io.BytesIO(), io.BytesIO()]
    for bundle in bundles:
        proof.export(session, member, reference=number, into=bundle)

    assert bundles[0].getvalue() == bundles[1].getvalue()


def lines_of(files: Files) -> tuple[str, list[bytes]]:
    name = sorted(name for name in files if name.endswith(".jsonl") and name.startswith("blocks/"))[1]
    return name, files[name].splitlines()


def edit(files: Files) -> tuple[Wrong, str]:
    name, records = lines_of(files)
    event = json.loads(records[1])
    records[1] = records[1].replace(b'"quantity":"', b'"quantity":"1')
    files[name] = b"\n".join(records) + b"\n"
    return Wrong.edited, event["id"]


def delete(files: Files) -> tuple[Wrong, str]:
    name, records = lines_of(files)
    files[name] = b"\n".join(records[1:]) + b"\n"
    return Wrong.missing, f"record 1 of block {int(name[7:13])}"


def insert(files: Files) -> tuple[Wrong, str]:
    name, records = lines_of(files)
    twin = records[0].replace(b'"id":"', b'"id":"x')
    files[name] = b"\n".join([records[0], twin, *records[1:]]) + b"\n"
    return Wrong.inserted, json.loads(twin)["id"]


def reorder(files: Files) -> tuple[Wrong, str]:
    name, records = lines_of(files)
    records[0], records[1] = records[1], records[0]
    files[name] = b"\n".join(records) + b"\n"
    return Wrong.reordered, json.loads(records[0])["id"]


def truncate(files: Files) -> tuple[Wrong, str]:
    name, records = lines_of(files)
    files[name] = b"\n".join(records[:-1]) + b"\n"
    return Wrong.cut_off, f"record {len(records)} of block {int(name[7:13])}"


def truncate_blocks(files: Files) -> tuple[Wrong, str]:
    seals = files["seals.jsonl"].splitlines()
    files["seals.jsonl"] = b"\n".join(seals[:-1]) + b"\n"
    return Wrong.cut_off, f"block {len(seals)}"


def swap_tenants(files: Files) -> tuple[Wrong, str]:
    name, records = lines_of(files)
    other = ids.new("tenant")
    tenant = json.loads(files["invoice.json"])["tenant"]
    records[0] = records[0].replace(tenant.encode(), other.encode())
    files[name] = b"\n".join(records) + b"\n"
    return Wrong.foreign, json.loads(records[0])["id"]


def edit_a_header(files: Files) -> tuple[Wrong, str]:
    seals = files["seals.jsonl"].splitlines()
    header = json.loads(seals[0]) | {"root": "0" * 64}
    files["seals.jsonl"] = b"\n".join([json.dumps(header).encode(), *seals[1:]]) + b"\n"
    return Wrong.unchained, "block 2"


def edit_a_hash(files: Files) -> tuple[Wrong, str]:
    name = sorted(name for name in files if name.endswith(".leaves"))[0]
    files[name] = bytes([files[name][0] ^ 1]) + files[name][1:]
    return Wrong.unchained, f"block {int(name[7:13])}"


@pytest.mark.parametrize(
    "tamper",
    [edit, delete, insert, reorder, truncate, truncate_blocks, swap_tenants, edit_a_header, edit_a_hash],
)
def test_the_first_bad_record_is_named(files: Files, tamper: Callable[[Files], tuple[Wrong, str]]) -> None:
    wrong, place = tamper(files)

    first = checked(files).faults[0]

    assert first.wrong is wrong
    assert place in first.place


def test_a_block_of_another_workspace_is_foreign(session: Session, member: Member, files: Files) -> None:
    other = factories.create_member(session)
    foreign = files_of(session, other, create_invoice(session, other))

    first = checked(files | {"seals.jsonl": foreign["seals.jsonl"]}).faults[0]

    assert (first.wrong, first.place) == (Wrong.foreign, "block 1")


def changed(files: Files, *path: object, to: object) -> Files:
    """The same files with one figure of the invoice changed."""
    told = json.loads(files["invoice.json"])
    place = told["invoice"]["draft"]
    for step in path[:-1]:
        place = place[step]  # type: ignore[index]
    assert place[path[-1]] != to  # type: ignore[index]
    place[path[-1]] = to  # type: ignore[index]
    return files | {"invoice.json": json.dumps(told).encode()}


@pytest.mark.parametrize(
    "figure", ["subtotal", "net", "tax", "total", "payable", "credit", "discount", "prepaid"]
)
def test_a_cent_more_in_any_sum_is_named(files: Files, figure: str) -> None:
    told = json.loads(files["invoice.json"])["invoice"]["draft"][figure]["micros"]

    verdict = checked(changed(files, figure, "micros", to=told + 10_000))

    assert {fault.wrong for fault in verdict.faults} == {Wrong.sum}


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("amount", "micros"), 123_450_000),
        (("quantity",), "7"),
        (("events",), 2),
        (("before",), "1"),
        (("free",), "1"),
        (("price", "amount"), "0.30"),
        (("subject",), "mv_other"),
        (("last_day",), "2000-01-01"),
    ],
)
def test_a_line_that_is_not_what_its_events_come_to_is_named(
    files: Files, path: tuple[object, ...], to: object
) -> None:
    draft = json.loads(files["invoice.json"])["invoice"]["draft"]
    position = next(place for place, line in enumerate(draft["lines"]) if line["meter"] == "training_seconds")

    first = checked(changed(files, "lines", position, *path, to=to)).faults[0]

    assert first.wrong is Wrong.line
    assert first.place == f"line {draft['lines'][position]['key']}"


def test_lines_that_count_an_event_twice_are_noticed(files: Files) -> None:
    draft = json.loads(files["invoice.json"])["invoice"]["draft"]
    again = draft["lines"][0] | {"key": "again"}

    faults = checked(changed(files, "lines", to=[*draft["lines"], again])).faults

    assert faults[0].wrong is Wrong.line
    assert "2 lines count this event" in faults[0].sentence


def test_a_head_from_paper_must_be_the_bundles(files: Files) -> None:
    head = checked(files).head
    with opened(zipped(files)) as bundle:
        assert verify(bundle, head=head.upper()).is_right
        assert not verify(bundle, head="0" * 64).is_right


@pytest.mark.parametrize("content", [b"", b"no zip", None])
def test_what_is_no_bundle_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "bundle.zip"
    file.write_bytes(zipped({"other.txt": b"x"}).getvalue() if content is None else content)

    with pytest.raises(NotABundle), opened(file):
        pass
    assert CliRunner().invoke(app, ["invoice", "verify", "--json", str(file)]).exit_code == 1


def test_a_draft_has_no_bundle_yet(session: Session, member: Member) -> None:
    with pytest.raises(proof.NotFinalised):
        proof.export(session, member, reference=str(Month.of(clock.now(), "UTC")), into=io.BytesIO())


def test_the_command_says_what_is_right_and_what_is_wrong(tmp_path: Path, files: Files) -> None:
    file = tmp_path / "bundle.zip"
    file.write_bytes(zipped(files).getvalue())
    right = CliRunner().invoke(app, ["invoice", "verify", str(file)])
    edit(files)
    file.write_bytes(zipped(files).getvalue())
    wrong = CliRunner().invoke(app, ["invoice", "verify", str(file)])
    told = json.loads(CliRunner().invoke(app, ["invoice", "verify", "--json", str(file)]).output)

    assert (right.exit_code, wrong.exit_code) == (0, 1)
    assert "Every line, every sum and every seal is right." in right.output
    assert "The first fault: record 2 of block" in wrong.output
    assert told["right"] is False
    assert told["faults"][0]["wrong"] == "edited"
    assert Decimal(told["payable"]) > 0
