from services.datasets.examples import ChatExample, ChatRole, Message
from services.datasets.findings.catalogue import Code
from services.datasets.findings.lengths import estimated_tokens
from tests.services.datasets.factories import sentence
from tests.services.datasets.findings.examined import found, marked, of_texts, rows


def test_texts_of_two_letters_and_of_marks_alone_are_too_short() -> None:
    assert rows(of_texts("hi", "?!", "yes", "不好", "a long text"), Code.short_text) == [2, 3]


def test_what_is_beyond_the_models_reach_is_marked_and_measured() -> None:
    texts = of_texts("short", "word " * 512)

    finding = found(texts, Code.long_text, max_tokens=256)

    assert finding is not None
    assert list(finding.rows) == [3]
    assert finding.detail == "Of these texts about 60% is beyond 256 tokens."
    assert marked(texts, Code.long_text)[0].strip().startswith("word")


def test_a_chinese_character_is_a_token_and_four_latin_letters_are_one() -> None:
    assert estimated_tokens("你好") == 2
    assert estimated_tokens("four" * 10) == 10


def test_a_long_sentence_with_entities_is_not_cut() -> None:
    assert not rows([sentence(1, *["word/O"] * 900, "Rome/B-place")], Code.long_text)


def test_a_conversation_beyond_the_context_is_named_as_such() -> None:
    long, short = (
        (Message(ChatRole.user, "why? " * times), Message(ChatRole.assistant, "so")) for times in (3_000, 300)
    )

    assert rows([ChatExample(4, long), ChatExample(5, short)], Code.over_context) == [4]
