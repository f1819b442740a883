"""Code to copy: how a program asks a model, in the languages that people paste. Pure."""

import json

from services.inference.predictions import Input

PLACEHOLDER = "$TUNEPORT_API_KEY"


def curl(api_url: str, model: str, asked: Input) -> str:
    """A request from a shell that has the key in TUNEPORT_API_KEY."""
    body = json.dumps({"model": model, "input": _plain(asked)}, ensure_ascii=False).replace("'", "'\\''")
    return (
        f"curl {api_url}/v1/predict \\\n"
        f'  -H "Authorization: Bearer {PLACEHOLDER}" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{body}'"
    )


def python(api_url: str, model: str, asked: Input) -> str:
    """The same request with httpx; requests takes the same words."""
    return (
        "import os\n\nimport httpx\n\n"
        "answer = httpx.post(\n"
        f'    "{api_url}/v1/predict",\n'
        '    headers={"Authorization": f"Bearer {os.environ[\'TUNEPORT_API_KEY\']}"},\n'
        f"    json={_literal(model, asked)},\n"
        ")\n"
        "answer.raise_for_status()\n"
        'print(answer.json()["data"])'
    )


def openai(api_url: str, model: str, asked: Input) -> str:
    """The same request with the openai client, which also uploads files and starts jobs here."""
    return (
        "import os\n\nfrom openai import OpenAI\n\n"
        f'client = OpenAI(base_url="{api_url}/v1", api_key=os.environ["TUNEPORT_API_KEY"])\n\n'
        "print([model.id for model in client.models.list()])\n"
        "answer = client.post(\n"
        '    "/predict",\n'
        "    cast_to=object,\n"
        f"    body={_literal(model, asked)},\n"
        ")\n"
        'print(answer["data"])'
    )


def _literal(model: str, asked: Input) -> str:
    # JSON strings and objects of them are Python's as well.
    return json.dumps({"model": model, "input": _plain(asked)}, ensure_ascii=False)


def _plain(asked: Input) -> str | dict[str, str]:
    return asked if isinstance(asked, str) else asked.model_dump()


def chat_curl(api_url: str, model: str, text: str) -> str:
    """A conversation from a shell, word by word."""
    body = json.dumps({**_chat(model, text), "stream": True}, ensure_ascii=False).replace("'", "'\\''")
    return (
        f"curl -N {api_url}/v1/chat/completions \\\n"
        f'  -H "Authorization: Bearer {PLACEHOLDER}" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d '{body}'"
    )


def chat_python(api_url: str, model: str, text: str) -> str:
    """The same with httpx, the answer at once."""
    return (
        "import os\n\nimport httpx\n\n"
        "answer = httpx.post(\n"
        f'    "{api_url}/v1/chat/completions",\n'
        '    headers={"Authorization": f"Bearer {os.environ[\'TUNEPORT_API_KEY\']}"},\n'
        f"    json={json.dumps(_chat(model, text), ensure_ascii=False)},\n"
        "    timeout=60,\n"
        ")\n"
        "answer.raise_for_status()\n"
        'print(answer.json()["choices"][0]["message"]["content"])'
    )


def chat_openai(api_url: str, model: str, text: str) -> str:
    """The same with the openai client, word by word."""
    asked = _chat(model, text)
    return (
        "import os\n\nfrom openai import OpenAI\n\n"
        f'client = OpenAI(base_url="{api_url}/v1", api_key=os.environ["TUNEPORT_API_KEY"])\n\n'
        "for chunk in client.chat.completions.create(\n"
        f"    model={json.dumps(model, ensure_ascii=False)},\n"
        f"    messages={json.dumps(asked['messages'], ensure_ascii=False)},\n"
        "    stream=True,\n"
        "):\n"
        '    print(chunk.choices[0].delta.content or "", end="")'
    )


def _chat(model: str, text: str) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": text}]}
