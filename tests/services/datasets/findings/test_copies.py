from services.datasets.examples import ChatExample, ChatRole, Message, ScoreExample, TextExample
from services.datasets.findings.catalogue import Code
from tests.services.datasets.findings.examined import found, rows


def labelled(*pairs: tuple[str, str]) -> list[TextExample]:
    return [TextExample(row, text, label) for row, (text, label) in enumerate(pairs, 2)]


def test_all_copies_but_the_first_are_told() -> None:
    texts = labelled(("same", "a"), ("other", "a"), ("same", "a"), ("same", "a"))

    assert rows(texts, Code.duplicate) == [4, 5]


def test_one_text_with_two_labels_is_a_contradiction_of_all_its_rows() -> None:
    texts = labelled(("same", "a"), ("other", "a"), ("same", "b"), ("same", "b"))

    assert rows(texts, Code.conflicting_labels) == [2, 4, 5]
    assert rows(texts, Code.duplicate) == [5]


def test_near_copies_are_told_apart_from_exact_ones() -> None:
    text = "What should I do if my phone is lost or stolen?"
    texts = labelled((text, "a"), (text.upper(), "a"), (text, "a"), ("Something else altogether", "a"))

    near = found(texts, Code.near_duplicate)
    assert near is not None
    assert list(near.rows) == [3]
    assert [shown.row for shown in near.excerpts] == [2, 3]
    assert rows(texts, Code.duplicate) == [4]


def test_excerpts_show_side_by_side_what_belongs_together() -> None:
    pairs = [(f"text {number}", "a") for number in range(9)] + [
        (f"text {number}", "b") for number in range(9)
    ]

    finding = found(labelled(*pairs), Code.conflicting_labels)

    assert finding is not None
    assert [shown.text for shown in finding.excerpts[:4]] == ["text 0", "text 0", "text 1", "text 1"]


def test_two_scores_for_one_text_contradict_and_conversations_never_do() -> None:
    turns = (Message(ChatRole.user, "hello"), Message(ChatRole.assistant, "good day"))

    assert rows(
        [ScoreExample(1, "a", "b", 0.1), ScoreExample(2, "a", "b", 0.9)], Code.conflicting_labels
    ) == [1, 2]
    assert rows([ChatExample(1, turns), ChatExample(2, turns)], Code.duplicate) == [2]
