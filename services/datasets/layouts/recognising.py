"""Which tool wrote these rows? Asked of a sample, the most telling marks first."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from services.datasets.formats import Layout
from services.datasets.layouts import argilla, label_studio
from services.datasets.layouts.annotations import ANSWER, span_of
from services.datasets.layouts.labels import items_of, written_list
from services.datasets.layouts.mapping import recognise_columns
from services.datasets.layouts.recognised import Confidence, Recognised, Wanted
from services.datasets.readers.tags import is_tag
from services.datasets.records import Fields
from services.training.recipe import Task

Rows = Sequence[Fields]
_CERTAIN_SHARE = 0.95
_MESSAGES = ("messages", "conversations", "conversation", "dialogue", "dialog", "turns", "chat")
_PROMPTS = (("prompt", "completion"), ("prompt", "response"), ("instruction", "response"))
_TOKENS = ("tokens", "words", "token_list")
_TAGS = ("ner_tags", "tags", "ner", "labels", "entities", "bio", "bio_tags", "tag_ids", "label")
_SPANS = ("entities", "spans", "label", "labels", "ents", "annotations")
_OF_LABEL_STUDIO_MIN = frozenset(
    {"id", "annotator", "annotation_id", "created_at", "updated_at", "lead_time", "agreement"}
)
_OF_ARGILLA = frozenset({"id", "status", "_server_id", "inserted_at", "updated_at", "metadata", "vectors"})
_OF_PRODIGY = frozenset({"_task_hash", "_input_hash", ANSWER})


def recognise(names: Sequence[str], rows: Rows, wanted: Wanted) -> Recognised:
    """The likely layout of rows with these fields; what is wanted is taken as known."""
    for layout, look in _LOOKS.items():
        if wanted.layout in (None, layout) and (found := look(names, rows)):
            return _as_wanted(found, wanted)
    return recognise_columns(names, rows, wanted)


def _label_studio(_: Sequence[str], rows: Rows) -> Recognised | None:
    tasks = [fields for fields in rows if isinstance(fields.get("data"), dict) and _annotated(fields)]
    if not _most(tasks, rows):
        return None
    results = [
        result
        for fields in tasks
        for annotation in label_studio.annotations_of(fields)
        for result in label_studio.results_of(annotation)
    ]
    texts = [fields["data"] for fields in tasks]
    spans = [result for result in results if "start" in result["value"]]
    choices = [result["value"]["choices"] for result in results if "choices" in result["value"]]
    questions = Counter(str(result.get("from_name")) for result in spans or results)
    question = questions.most_common(1)[0][0] if questions else "label"
    several = any(isinstance(chosen, list) and len(chosen) > 1 for chosen in choices)
    return Recognised(
        {
            "layout": Layout.label_studio,
            "text_column": _longest_text(texts),
            "label_column": question,
            "task": Task.token_classification if spans else _task_of_labels(several),
        },
        _confidence(tasks, rows),
        "Rows have “data” and “annotations”: this looks like Label Studio.",
        columns=_union([*(name for data in texts for name in data), question, *questions]),
    )


def _annotated(fields: Fields) -> bool:
    return any(isinstance(fields.get(name), list) for name in label_studio.ANNOTATIONS)


def _label_studio_min(names: Sequence[str], rows: Rows) -> Recognised | None:
    if len(_OF_LABEL_STUDIO_MIN & set(names)) < 3 or "annotation_id" not in names:
        return None
    text = _longest_text(rows)
    answers = [name for name in names if name != text and name not in _OF_LABEL_STUDIO_MIN]
    if not answers:
        return None
    with_spans = [name for name in answers if _holds_spans(rows, name)]
    # The question comes last in a row's own fields, after the fields of the task.
    label = next(iter([*with_spans, *answers[::-1]]))
    given = [items_of(label_studio.choices_of(fields.get(label)), None) or () for fields in rows]
    several = any(len(items) > 1 for items in given)
    return Recognised(
        {
            "layout": Layout.label_studio_min,
            "text_column": text,
            "label_column": label,
            "task": Task.token_classification if with_spans else _task_of_labels(several),
        },
        Confidence.certain,
        "Rows have “annotation_id” and other marks of Label Studio's JSON-MIN.",
    )


def _argilla(_: Sequence[str], rows: Rows) -> Recognised | None:
    records = [fields for fields in rows if isinstance(fields.get("fields"), dict) and "responses" in fields]
    if not _most(records, rows):
        return None
    texts = [fields["fields"] for fields in records]
    questions = _union(question for fields in records for question in argilla.questions_of(fields))
    question = questions[0] if questions else "label"
    values = [value for fields in records for value, _ in argilla.responses_of(fields, question)]
    return Recognised(
        {
            "layout": Layout.argilla,
            "text_column": _longest_text(texts),
            "label_column": question,
            "task": _task_of_values(values),
        },
        _confidence(records, rows),
        "Rows have “fields” and “responses”: this looks like Argilla.",
        columns=_union([*(name for fields in texts for name in fields), question, *questions]),
    )


def _argilla_flat(names: Sequence[str], rows: Rows) -> Recognised | None:
    questions = [name for name in names if name.endswith(argilla.RESPONSES)]
    if not questions:
        return None
    values = [value for fields in rows for value in fields.get(questions[0]) or ()]
    plain = [
        {name: value for name, value in fields.items() if "." not in name and name not in _OF_ARGILLA}
        for fields in rows
    ]
    return Recognised(
        {
            "layout": Layout.argilla_flat,
            "text_column": _longest_text(plain),
            "label_column": questions[0],
            "task": _task_of_values(values),
        },
        Confidence.certain,
        f"There is a column “{questions[0]}”: this looks like Argilla.",
    )


def _chat(names: Sequence[str], rows: Rows) -> Recognised | None:
    for column in _MESSAGES:
        for mark, layout, tool in (
            ("role", Layout.messages, "OpenAI's messages"),
            ("from", Layout.sharegpt, "ShareGPT"),
        ):
            talks = [fields for fields in rows if _is_talk(fields.get(column), mark)]
            if column in names and _most(talks, rows):
                return _conversation(
                    layout, column, None, _confidence(talks, rows), f"“{column}” holds turns as in {tool}."
                )
    return None


def _is_talk(value: Any, mark: str) -> bool:
    if isinstance(value, list):
        return bool(value) and isinstance(value[0], dict) and mark in value[0]
    return isinstance(value, str) and value.lstrip().startswith("[{") and f'"{mark}"' in value


def _alpaca(names: Sequence[str], _: Rows) -> Recognised | None:
    if not {"instruction", "output"} <= set(names):
        return None
    found = _conversation(
        Layout.alpaca,
        "instruction",
        "output",
        Confidence.certain,
        "Columns are called “instruction” and “output”, as Alpaca's.",
    )
    if "input" in names:
        found.fields["pair_column"] = "input"
    return found


def _prompts(names: Sequence[str], rows: Rows) -> Recognised | None:
    for prompt, completion in _PROMPTS:
        if prompt in names and completion in names:
            answers = [str(fields.get(completion)) for fields in rows]
            # Few different completions to many prompts are labels.
            if len(set(answers)) * 2 > len(answers):
                reason = (
                    f"Columns are called “{prompt}” and “{completion}”, and no completion is like another."
                )
                return _conversation(Layout.prompt_completion, prompt, completion, Confidence.likely, reason)
    return None


def _conversation(
    layout: Layout, text: str, label: str | None, confidence: Confidence, reason: str
) -> Recognised:
    fields = {"layout": layout, "text_column": text, "label_column": label, "task": Task.chat}
    return Recognised(fields, confidence, reason)


def _tokens(names: Sequence[str], rows: Rows) -> Recognised | None:
    for column in _TOKENS:
        for tags in (*_TAGS, *names):
            if column not in names or tags not in names or tags == column:
                continue
            fitting = [fields for fields in rows if _are_tagged(fields.get(column), fields.get(tags))]
            if _most(fitting, rows):
                return Recognised(
                    {
                        "layout": Layout.tokens,
                        "text_column": column,
                        "label_column": tags,
                        "task": Task.token_classification,
                    },
                    _confidence(fitting, rows),
                    f"“{column}” and “{tags}” are lists of one length, of tokens and of their tags.",
                )
    return None


def _are_tagged(tokens: Any, tags: Any) -> bool:
    tokens = written_list(tokens) if isinstance(tokens, str) else tokens
    tags = written_list(tags) if isinstance(tags, str) else tags
    if not isinstance(tokens, list) or not isinstance(tags, list) or len(tokens) != len(tags):
        return False
    return all(type(tag) is int or (isinstance(tag, str) and (tag.isdigit() or is_tag(tag))) for tag in tags)


def _entities(names: Sequence[str], rows: Rows) -> Recognised | None:
    column = next((name for name in _SPANS if name in names and _holds_spans(rows, name)), None)
    if column is None:
        return None
    layout, tool = Layout.doccano, "doccano"
    if _OF_PRODIGY & set(names):
        layout, tool = Layout.prodigy, "Prodigy"
    elif column == "ents" or (column == "entities" and not _holds_spans(rows, column, of=dict)):
        layout, tool = Layout.spacy, "spaCy"
    text = {"text_column": _longest_text(rows), "label_column": column, "task": Task.token_classification}
    filled = [fields for fields in rows if fields.get(column) is not None]
    return Recognised(
        {"layout": layout, **text},
        _confidence([fields for fields in filled if _are_spans(fields[column])], rows),
        f"“{column}” holds places in the text with their labels: this looks like {tool}.",
    )


def _prodigy(names: Sequence[str], rows: Rows) -> Recognised | None:
    """Prodigy's answers about whole texts."""
    label = next((name for name in ("accept", "label") if name in names), None)
    if label is None or len(_OF_PRODIGY & set(names)) < 2:
        return None
    several = any(isinstance(fields.get(label), list) and len(fields[label]) != 1 for fields in rows)
    fields = {"text_column": _longest_text(rows), "label_column": label, "task": _task_of_labels(several)}
    reason = "Rows have “answer” and “_task_hash”: this looks like Prodigy."
    return Recognised({"layout": Layout.prodigy, **fields}, Confidence.certain, reason)


_LOOKS: dict[Layout, Callable[[Sequence[str], Rows], Recognised | None]] = {
    Layout.label_studio: _label_studio,
    Layout.label_studio_min: _label_studio_min,
    Layout.argilla: _argilla,
    Layout.argilla_flat: _argilla_flat,
    Layout.messages: _chat,
    Layout.alpaca: _alpaca,
    Layout.prompt_completion: _prompts,
    Layout.tokens: _tokens,
    Layout.doccano: _entities,
    Layout.prodigy: _prodigy,
}


def _as_wanted(found: Recognised, wanted: Wanted) -> Recognised:
    given = wanted._asdict()
    known = {name: given[name] for name in ("text_column", "label_column") if given[name] is not None}
    return Recognised({**found.fields, **known}, found.confidence, found.reason, found.columns)


def _holds_spans(rows: Rows, column: str, of: type = object) -> bool:
    """Are the values of the column lists of entities, and one of them at least not empty?"""
    lists = [fields[column] for fields in rows if fields.get(column) is not None]
    spans = [value for value in lists if _are_spans(value)]
    return len(spans) * 2 > len(lists) and any(isinstance(value[0], of) for value in spans if value)


def _are_spans(value: Any) -> bool:
    return isinstance(value, list) and all(span_of(item) is not None for item in value)


def _longest_text(rows: Iterable[Fields]) -> str:
    lengths: Counter[str] = Counter()
    for fields in rows:
        lengths.update({name: len(value) for name, value in fields.items() if isinstance(value, str)})
    if lengths["text"]:
        return "text"
    return lengths.most_common(1)[0][0] if lengths else "text"


def _task_of_labels(several: bool) -> Task:
    return Task.multi_label if several else Task.text_classification


def _task_of_values(values: Sequence[Any]) -> Task:
    if any(isinstance(value, list) and value and isinstance(value[0], dict | list) for value in values):
        return Task.token_classification
    return _task_of_labels(any(isinstance(value, list) for value in values))


def _most(found: Sequence[Fields], rows: Rows) -> bool:
    return len(found) * 2 > len(rows)


def _confidence(found: Sequence[Fields], rows: Rows) -> Confidence:
    return Confidence.certain if len(found) >= _CERTAIN_SHARE * len(rows) else Confidence.likely


def _union(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
