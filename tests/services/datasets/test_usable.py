import pytest

from services.datasets.dropped import DropCode, drop
from services.datasets.errors import NoEntities, NoUsableRows, OneClass, SeveralLabels, TooManyLabels
from services.datasets.examples import Example, TextExample
from services.datasets.limits import MAX_LABELS
from services.datasets.reading import Reading
from services.datasets.usable import require_usable
from tests.services.datasets.factories import sentence, texts


def reading(*examples: Example) -> Reading:
    return Reading(examples, ())


def labelled(*labels: str) -> Reading:
    return reading(*(TextExample(row, f"text {row}", label) for row, label in enumerate(labels, 1)))


def test_two_labels_are_enough() -> None:
    require_usable(reading(*texts(a=1, b=1)))


def test_one_entity_is_enough() -> None:
    require_usable(reading(sentence(1, "hi/O"), sentence(2, "Oslo/B-place")))


def test_a_file_whose_every_row_was_dropped_says_why() -> None:
    dropped = (drop(1, DropCode.empty_text), drop(2, DropCode.missing_label), drop(3, DropCode.missing_label))

    with pytest.raises(NoUsableRows, match="2 × The label is missing; 1 × The text is empty"):
        require_usable(Reading((), dropped))


def test_a_single_label_is_refused() -> None:
    with pytest.raises(OneClass, match="“a”"):
        require_usable(reading(*texts(a=5)))


def test_sentences_without_any_entity_are_refused() -> None:
    with pytest.raises(NoEntities):
        require_usable(reading(sentence(1, "hi/O"), sentence(2, "you/O")))


def test_free_text_as_label_is_refused() -> None:
    with pytest.raises(TooManyLabels, match="1,001 different values"):
        require_usable(labelled(*(f"label {number}" for number in range(MAX_LABELS + 1))))


@pytest.mark.parametrize("several", ["3,10", "3|10", "10 ; 3", "[3, 10]", "['3']"])
def test_rows_of_several_labels_are_refused(several: str) -> None:
    with pytest.raises(SeveralLabels) as refused:
        require_usable(labelled("3", "10", "3", "10", several))

    assert refused.value.example == several


def test_a_comma_within_a_label_does_not_make_it_several() -> None:
    require_usable(labelled("bags, shoes", "hats", "bags, shoes"))
