from collections import Counter

from services.datasets.examples import TextExample
from services.datasets.findings.catalogue import Code
from services.datasets.findings.labels import similar
from tests.services.datasets.factories import sentence, texts
from tests.services.datasets.findings.examined import found, rows


def test_labels_that_differ_in_case_spaces_or_marks_are_one() -> None:
    counts = Counter({"Card lost": 5, "card_lost": 9, "card  LOST": 1, "cash": 3})

    assert similar(counts) == (("card_lost", "Card lost", "card  LOST"),)


def test_a_rare_label_one_letter_from_a_frequent_one_is_a_slip() -> None:
    counts = Counter({"delivery": 50, "delivrey": 2, "delivey": 2, "deliver me": 2})

    assert similar(counts) == (("delivery", "delivey", "delivrey"),)


def test_two_frequent_labels_one_letter_apart_are_both_meant() -> None:
    assert similar(Counter({"income": 50, "incomes": 40})) == ()


def test_numbers_in_labels_are_never_slips() -> None:
    assert similar(Counter({"step 1": 50, "step 2": 2, "step 11": 2})) == ()


def test_a_column_of_free_text_is_no_crowd_of_rare_labels() -> None:
    free = [TextExample(row, "text", f"label {'x' * row}") for row in range(1, 1_050)]

    assert found(free, Code.rare_label) is None
    assert found(free, Code.similar_labels) is None


def test_the_rows_of_the_labels_to_be_merged_are_told_with_what_to_keep() -> None:
    finding = found(texts(**{"refund": 20, "Refund": 12, "order": 20}), Code.similar_labels)

    assert finding is not None
    assert finding.labels == (("refund", "Refund"),)
    assert finding.detail == "“refund” (20) = “Refund” (12)."
    assert finding.count == 12


def test_labels_under_ten_rows_are_rare() -> None:
    finding = found(texts(many=30, few=9), Code.rare_label)

    assert finding is not None
    assert finding.count == 9
    assert finding.detail == "“few” (9)."


def test_a_type_of_entity_can_be_rare_too() -> None:
    often = [sentence(row, "Rome/B-place", "is/O") for row in range(1, 21)]

    assert rows([*often, sentence(21, "Acme/B-company")], Code.rare_label) == [21]


def test_one_label_ten_times_another_is_out_of_balance() -> None:
    finding = found(texts(many=300, few=30), Code.label_imbalance)

    assert finding is not None
    assert finding.detail == "“many” has 300 and “few” has 30, one for 10."
    assert found(texts(many=299, few=30), Code.label_imbalance) is None


def test_labels_that_the_earlier_version_lacks_are_unknown() -> None:
    finding = found(texts(a=20, b=20, c=11), Code.unknown_label, known_labels={"a", "b"})

    assert finding is not None
    assert finding.labels == (("c",),)
    assert finding.count == 11
