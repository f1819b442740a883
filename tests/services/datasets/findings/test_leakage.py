from services.datasets.examples import TextExample
from services.datasets.findings.catalogue import Code
from services.datasets.split import Split
from services.datasets.splits import split
from tests.services.datasets.factories import texts
from tests.services.datasets.findings.examined import found, rows

TEXT = "What should I do if my phone is lost or stolen?"


def given(examples: list[TextExample], **numbers: Split) -> dict[int, Split]:
    others = {example.row: list(Split)[example.row % 3] for example in examples}
    return others | {int(number.removeprefix("row")): which for number, which in numbers.items()}


def test_a_test_row_that_is_trained_on_leaks() -> None:
    examples = [*texts(a=20, b=20), TextExample(100, TEXT, "a"), TextExample(101, TEXT, "a")]
    splits = split(examples, seed=1, given=given(examples, row100=Split.train, row101=Split.test))

    assert rows(examples, Code.leakage, splits=splits) == [101]
    assert found(examples, Code.near_leakage, splits=splits) is None


def test_a_near_copy_leaks_as_well_and_is_told_by_itself() -> None:
    examples = [*texts(a=20, b=20), TextExample(100, TEXT, "a"), TextExample(101, TEXT.upper(), "a")]
    splits = split(examples, seed=1, given=given(examples, row100=Split.validation, row101=Split.test))

    assert rows(examples, Code.near_leakage, splits=splits) == [100, 101]
    assert found(examples, Code.leakage, splits=splits) is None


def test_splits_of_our_own_do_not_leak() -> None:
    examples = [*texts(a=50, b=50), *(TextExample(row, f"{TEXT}{'!' * row}", "a") for row in range(200, 230))]

    splits = split(examples, seed=1)

    assert found(examples, Code.leakage, splits=splits) is None
    assert found(examples, Code.near_leakage, splits=splits) is None


def test_where_nothing_but_near_copies_is_there_their_leakage_is_told() -> None:
    examples = [TextExample(row, f"{TEXT} Number {row}", "ab"[row % 2]) for row in range(100)]
    splits = split(examples, seed=1)

    finding = found(examples, Code.near_leakage, splits=splits)

    assert finding is not None
    assert finding.count == len(splits.validation) + len(splits.test)
