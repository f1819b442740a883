from pathlib import Path

from services.training.reporting import answered
from services.training.reporting.answered import ANSWERED, Answered, read_span, units, written
from services.training.reporting.spans import Span

TEXT = Answered("test", 2, "where?", ["a"], ["b"], [0.75], [0.25, 0.75])
SENTENCE = Answered("validation", 3, "in rome", ["1:2:city"], [], [], [], ["in", "rome"])


def test_the_table_gives_back_what_was_written(tmp_path: Path) -> None:
    answered.save([TEXT, SENTENCE], tmp_path)

    assert answered.read((tmp_path / ANSWERED).read_bytes()) == [TEXT, SENTENCE]


def test_entities_are_written_as_answers() -> None:
    span = Span("time: of day", 3, 5)

    assert read_span(written(span)) == span


def test_every_answer_given_is_a_unit() -> None:
    two = Answered("test", 4, "x", ["0:1:a", "2:3:b"], ["0:1:a", "1:2:b"], [0.9, 0.4])

    confidence, correct = units([two, SENTENCE])

    assert confidence.tolist() == [0.9, 0.4]
    assert correct.tolist() == [True, False]
    assert not two.right


def test_of_several_labels_the_whole_answer_is_one_unit() -> None:
    right = Answered("test", 4, "x", ["a", "b"], ["b", "a"], [0.9, 0.8], [0.9, 0.8], certainty=0.7)
    one_too_many = Answered("test", 5, "y", ["a"], ["a", "b"], [0.9, 0.6], [0.9, 0.6], certainty=0.5)

    confidence, correct = units([right, one_too_many])

    assert confidence.tolist() == [0.7, 0.5]
    assert correct.tolist() == [True, False]
