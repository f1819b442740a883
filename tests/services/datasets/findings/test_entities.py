from services.datasets.findings.catalogue import Code
from tests.services.datasets.factories import sentence
from tests.services.datasets.findings.examined import rows


def test_sentences_without_any_word_outside_are_told_where_they_are_most() -> None:
    names = [sentence(row, "New/B-place", "York/I-place") for row in range(1, 8)]
    whole = [sentence(row, "in/O", "Rome/B-place") for row in range(8, 11)]

    assert rows([*names, *whole], Code.never_outside) == list(range(1, 8))


def test_a_list_of_names_beside_sentences_does_no_harm() -> None:
    names = [sentence(row, "Rome/B-place") for row in range(1, 4)]
    whole = [sentence(row, "in/O", "Rome/B-place") for row in range(4, 11)]

    assert not rows([*names, *whole], Code.never_outside)
