"""A file examined in a process of its own: findings, fixes and their effect, always adding up."""

from services.accounts.scope import Member
from services.datasets import files
from services.datasets.detection import detect
from services.datasets.examination import examined, find_rows
from services.datasets.fixes import Dedupe, DropRows, EditRow
from services.datasets.preview import DEFAULT_SEED
from services.datasets.split import Split
from tests.services.datasets.factories import csv_form

ROWS = [f"{text} number {number},{label}" for number in range(20) for text, label in (
    ("where is my parcel", "delivery"), ("i want my money back", "refund"))]  # fmt: skip
CONTENT = "\n".join(["text,label", *ROWS, ROWS[0], "write to anna@example.com,delivery", ",refund"]).encode()


def test_everything_is_told_at_once_and_adds_up() -> None:
    seen = examined(CONTENT, csv_form())

    codes = {told.code for told in seen.findings}
    assert {"duplicate", "email_address", "empty_text"} <= codes
    assert seen.preview.rows_in == 43
    assert seen.preview.rows_in == seen.preview.rows_used + sum(g.count for g in seen.preview.dropped)


def test_a_suggested_fix_takes_its_finding_away_and_still_adds_up() -> None:
    before = examined(CONTENT, csv_form())
    fix = next(told.fix for told in before.findings if told.code == "duplicate")

    after = examined(CONTENT, csv_form(), fixes=[fix])

    assert isinstance(fix, Dedupe)
    assert "duplicate" not in {told.code for told in after.findings}
    assert [(change.rows_before, change.rows_after) for change in after.changes] == [(42, 41)]
    assert (
        after.preview.rows_in == 43 == after.preview.rows_used + sum(g.count for g in after.preview.dropped)
    )


def test_rows_are_found_by_number_and_by_words_as_they_are_after_the_fixes() -> None:
    edit = EditRow(row=2, text="where on earth is it", labels=("refund",))

    by_number = find_rows(CONTENT, csv_form(), fixes=[edit], numbers=[2])
    by_words = find_rows(CONTENT, csv_form(), fixes=[edit], words="ON EARTH")

    assert by_number == by_words
    assert [(row.row, row.text, row.label) for row in by_words] == [(2, "where on earth is it", "refund")]


def test_a_version_keeps_its_changes_and_findings(member: Member) -> None:
    with files.store(member, filename="rows.csv", content=CONTENT) as upload:
        fixes = [Dedupe(), DropRows(rows=(43,))]
        with files.freeze(member, upload, form=csv_form(), seed=DEFAULT_SEED, fixes=fixes) as version:
            assert version.rows_in == version.rows_used + sum(version.dropped.values()) == 43
            assert version.dropped == {"left_out_by_fix": 2, "empty_text": 1}
            assert [change["fix"]["name"] for change in version.changes] == ["dedupe", "drop_rows"]
            assert "email_address" not in {finding["code"] for finding in version.findings}


def test_the_next_version_is_tested_with_the_rows_of_the_first(member: Member) -> None:
    more = CONTENT + "\n".join(["", *(f"the refund of order {n} is late,refund" for n in range(40))]).encode()
    with (
        files.store(member, filename="rows.csv", content=CONTENT) as first_file,
        files.freeze(member, first_file, form=csv_form(), seed=1) as first,
        files.store(member, filename="more.csv", content=more) as second_file,
        files.freeze(member, second_file, form=csv_form(), seed=2, after=first) as second,
    ):
        tested = [texts(version, Split.test) for version in (first, second)]
        trained = texts(second, Split.train) | texts(second, Split.validation)

    assert tested[0] == tested[1]
    assert not tested[0] & trained


def texts(version, split: Split) -> set[str]:
    return {row.text for row in files.rows(version, split=split, offset=0, limit=1000).rows}


SPLIT_ROWS = [
    (f"{text} number {number}", label, ("train", "dev", "test")[number % 3], f"customer {number % 5}")
    for number in range(30)
    for text, label in (("where is my parcel", "delivery"), ("i want my money back", "refund"))
]
SPLIT_FILE = "\n".join(["text,label,split,customer", *map(",".join, SPLIT_ROWS)]).encode()


def test_a_files_own_splits_are_recognised_and_kept(member: Member) -> None:
    form = detect(SPLIT_FILE)
    with (
        files.store(member, filename="rows.csv", content=SPLIT_FILE) as upload,
        files.freeze(member, upload, form=form, seed=DEFAULT_SEED) as version,
    ):
        kept = {split: texts(version, split) for split in Split}

    assert form.split_column == "split"
    for split, word in ((Split.train, "train"), (Split.validation, "dev"), (Split.test, "test")):
        assert kept[split] == {text for text, _, its, _ in SPLIT_ROWS if its == word}


def test_rows_of_a_group_stay_together(member: Member) -> None:
    form = detect(SPLIT_FILE).changed(split_column=None, group_column="customer")
    with (
        files.store(member, filename="rows.csv", content=SPLIT_FILE) as upload,
        files.freeze(member, upload, form=form, seed=DEFAULT_SEED) as version,
    ):
        groups = [
            {group for text, _, _, group in SPLIT_ROWS if text in texts(version, split)} for split in Split
        ]

    assert sum(map(len, groups)) == len(set().union(*groups))
