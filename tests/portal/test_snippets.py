"""What people copy must run."""

import json
import shlex

import pytest

from portal import snippets

TEXTS = ["My card has not arrived yet.", 'It\'s "late"\nand \\ odd', "Wo bleibt es? 你好"]


@pytest.mark.parametrize("text", TEXTS)
def test_the_shell_sends_the_text_as_it_is(text: str) -> None:
    words = shlex.split(snippets.curl("https://api.example", "banking-intents", text))

    assert json.loads(words[words.index("-d") + 1]) == {"model": "banking-intents", "input": text}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("snippet", [snippets.python, snippets.openai])
def test_the_python_snippets_hold_the_request(snippet, text: str) -> None:
    code = snippet("https://api.example", "banking-intents", text)

    compile(code, "snippet", "exec")
    request = next(line for line in code.splitlines() if '"model"' in line).partition("=")[2].rstrip(",")
    assert eval(request) == {"model": "banking-intents", "input": text}


def test_the_key_comes_from_the_environment() -> None:
    for snippet in (snippets.curl, snippets.python, snippets.openai):
        assert "TUNEPORT_API_KEY" in snippet("https://api.example", "m", "t")


@pytest.mark.parametrize("text", TEXTS)
def test_the_snippets_of_a_conversation_hold_the_message(text: str) -> None:
    words = shlex.split(snippets.chat_curl("https://api.example", "gardener", text))
    asked = [{"role": "user", "content": text}]

    assert json.loads(words[words.index("-d") + 1]) == {
        "model": "gardener",
        "messages": asked,
        "stream": True,
    }
    for code in (
        snippets.chat_python("https://api.example", "gardener", text),
        snippets.chat_openai("https://api.example", "gardener", text),
    ):
        compile(code, "snippet", "exec")
        assert json.dumps(asked, ensure_ascii=False) in code
        assert "TUNEPORT_API_KEY" in code
