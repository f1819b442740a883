"""A small file of every format, as its tool writes it: how it is understood, and what becomes of its rows."""

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from services.datasets.detection import Guess, guess
from services.datasets.dropped import DropCode
from services.datasets.errors import UnknownSheet
from services.datasets.examples import (
    ChatExample,
    ChatRole,
    Example,
    Message,
    MultiLabelExample,
    PairExample,
    ScoreExample,
    TextExample,
    from_line,
    to_line,
)
from services.datasets.formats import Container, Layout, Packing
from services.datasets.layouts.recognised import Confidence
from services.datasets.notes import NoteCode
from services.datasets.reading import Reading, read
from services.training.recipe import Task
from tests.services.datasets.factories import sentence
from tests.services.datasets.workbooks import rows_of, workbook, zip_of

FILES = Path(__file__).with_name("files")
ANNA = "Anna/B-PER Keller/I-PER visited/O Oslo/B-LOC ./O"
NOTHING = "Nothing/O here/O ./O"


def understood(content: bytes) -> tuple[Guess, Reading]:
    found = guess(content)
    return found, read(content, found.form)


def sentences(*texts: str) -> list[Example]:
    return [sentence(int(row), *words) for row, *words in (text.split() for text in texts)]


def dropped(reading: Reading) -> dict[int, DropCode]:
    return {item.row: item.code for item in reading.dropped}


@pytest.mark.parametrize(
    ("name", "container", "layout", "used", "left_out"),
    [
        (
            "conll2003.conll",
            Container.conll,
            Layout.tokens,
            [
                "1 Anna/B-PER Keller/I-PER visited/O Oslo/B-LOC ./O",
                "2 She/O works/O for/O Nordlicht/B-ORG Energie/I-ORG",
                "3 Bergen/B-LOC is/O wet/O",
            ],
            {},
        ),
        (
            "bioes.tsv",
            Container.conll,
            Layout.tokens,
            [
                "1 Anna/B-PER Keller/I-PER met/O Tom/B-PER",
                "2 In/O New/B-LOC York/I-LOC City/I-LOC",
                "3 #oslo/B-LOC #/O",
            ],
            {},
        ),
        (
            "tags.conllu",
            Container.conll,
            Layout.tokens,
            ["1 Vamos/O a/O el/O Prado/B-LOC", "2 Ana/B-PER lee/O"],
            {},
        ),
        (
            "misc.conllu",
            Container.conll,
            Layout.tokens,
            ["1 Ana/B-PER Ruiz/I-PER lee/O", "2 Llueve/O en/O Vigo/B-LOC"],
            {},
        ),
        (
            "hf-tokens.jsonl",
            Container.jsonl,
            Layout.tokens,
            ["1 Anna/B-PER Keller/I-PER visited/O Oslo/B-LOC", "2 It/O rained/O"],
            {},
        ),
        (
            "hf-numbers.jsonl",
            Container.jsonl,
            Layout.tokens,
            ["1 Anna/B-1 Keller/I-1 visited/O Oslo/B-5", "2 It/O rained/O"],
            {3: DropCode.tags_differ},
        ),
        (
            "doccano.jsonl",
            Container.jsonl,
            Layout.doccano,
            [f"1 {ANNA}", f"2 {NOTHING}", "3 Bergen/B-LOC is/O wet/O ./O"],
            {4: DropCode.span_outside},
        ),
        (
            "doccano-relations.jsonl",
            Container.jsonl,
            Layout.doccano,
            [f"1 {ANNA}", f"2 {NOTHING}"],
            {},
        ),
        (
            "prodigy.jsonl",
            Container.jsonl,
            Layout.prodigy,
            [f"1 {ANNA}", f"3 {NOTHING}"],
            {2: DropCode.not_annotated, 4: DropCode.not_annotated},
        ),
        ("spacy-training.json", Container.json, Layout.spacy, [f"1 {ANNA}", f"2 {NOTHING}"], {}),
        (
            "spacy-annotator.json",
            Container.json,
            Layout.spacy,
            [f"1 {ANNA}", "2 Bergen/B-LOC is/O wet/O ./O"],
            {},
        ),
        ("spacy-docs.jsonl", Container.jsonl, Layout.spacy, [f"1 {ANNA}", f"2 {NOTHING}"], {}),
        (
            "label-studio-entities.json",
            Container.json,
            Layout.label_studio,
            [f"1 {ANNA}", "2 😀/O Bergen/B-LOC is/O wet/O ./O"],
            {3: DropCode.not_annotated},
        ),
        (
            "label-studio-min.json",
            Container.json,
            Layout.label_studio_min,
            ["1 Anna/B-PER Keller/I-PER visited/O Oslo/O ./O", f"3 {NOTHING}"],
            {2: DropCode.annotated_again},
        ),
        ("argilla-spans.json", Container.json, Layout.argilla, [f"1 {ANNA}", f"2 {NOTHING}"], {}),
    ],
)
def test_entities_are_read(
    name: str, container: Container, layout: Layout, used: list[str], left_out: dict[int, DropCode]
) -> None:
    found, reading = understood((FILES / name).read_bytes())

    assert (found.form.container, found.form.layout) == (container, layout)
    assert found.form.task is Task.token_classification
    assert list(reading.examples) == sentences(*used)
    assert dropped(reading) == left_out


DELIVERY, PRICE = "The parcel never came.", "Far too dear."


@pytest.mark.parametrize(
    ("name", "layout", "used", "left_out"),
    [
        (
            "wrapped.json",
            Layout.columns,
            [
                TextExample(1, DELIVERY, "delivery"),
                TextExample(2, PRICE, "price"),
                TextExample(3, "Late again.", "delivery"),
            ],
            {},
        ),
        (
            "spacy-cats.jsonl",
            Layout.columns,
            [TextExample(1, DELIVERY, "delivery"), TextExample(2, PRICE, "price")],
            {},
        ),
        (
            "label-studio-choices.json",
            Layout.label_studio,
            [TextExample(1, DELIVERY, "delivery"), TextExample(2, PRICE, "price")],
            {},
        ),
        (
            "argilla-nested.json",
            Layout.argilla,
            [TextExample(1, DELIVERY, "delivery"), TextExample(2, PRICE, "price")],
            {3: DropCode.not_annotated},
        ),
        (
            "argilla-flat.jsonl",
            Layout.argilla_flat,
            [TextExample(1, DELIVERY, "delivery"), TextExample(2, PRICE, "price")],
            {3: DropCode.not_annotated},
        ),
    ],
)
def test_single_labels_are_read(
    name: str, layout: Layout, used: list[Example], left_out: dict[int, DropCode]
) -> None:
    found, reading = understood((FILES / name).read_bytes())

    assert (found.form.layout, found.form.task) == (layout, Task.text_classification)
    assert list(reading.examples) == used
    assert dropped(reading) == left_out


@pytest.mark.parametrize(
    ("name", "layout", "used", "left_out"),
    [
        (
            "fasttext.txt",
            Layout.columns,
            [
                (1, "where is my parcel ?", "delivery"),
                (2, "far too dear", "price"),
                (3, "late and too dear", "delivery", "price"),
                (4, "no label at all"),
            ],
            {},
        ),
        (
            "one-hot.csv",
            Layout.columns,
            [
                (2, "You are a fool and I will find you", "insult", "threat", "toxic"),
                (3, "Thank you for the help"),
                (4, "What a fool", "insult", "toxic"),
                *((row, f"A kind word number {row - 1}") for row in range(6, 14)),
            ],
            {5: DropCode.wrong_type},
        ),
        (
            "several-labels.csv",
            Layout.columns,
            [(2, "well done", "joy", "pride"), (3, "how sad", "sadness"), (4, "it is noon")],
            {},
        ),
        (
            "bars.csv",
            Layout.columns,
            [
                (2, "well done", "joy", "pride"),
                (3, "how sad", "sadness"),
                (4, "so proud", "pride"),
                (5, "it is noon"),
                (6, "a laugh", "joy"),
                (7, "tears of joy", "joy", "sadness"),
            ],
            {},
        ),
        (
            "prodigy-choices.jsonl",
            Layout.prodigy,
            [(1, DELIVERY, "delivery"), (2, "Late and too dear.", "delivery", "price")],
            {3: DropCode.not_annotated},
        ),
        (
            "label-studio-min-choices.json",
            Layout.label_studio_min,
            [(1, DELIVERY, "delivery"), (2, "Late and too dear.", "delivery", "price")],
            {},
        ),
    ],
)
def test_several_labels_are_read_and_none_is_an_answer(
    name: str, layout: Layout, used: list[tuple[Any, ...]], left_out: dict[int, DropCode]
) -> None:
    found, reading = understood((FILES / name).read_bytes())

    assert (found.form.layout, found.form.task) == (layout, Task.multi_label)
    assert list(reading.examples) == [
        MultiLabelExample(row, text, tuple(labels)) for row, text, *labels in used
    ]
    assert dropped(reading) == left_out


def test_pairs_with_a_label_are_read() -> None:
    found, reading = understood((FILES / "pairs.tsv").read_bytes())

    assert found.form.task is Task.pair_classification
    assert (found.form.text_column, found.form.pair_column) == ("premise", "hypothesis")
    assert reading.examples[0] == PairExample(2, "A man sleeps on a bench.", "Nobody is awake.", "neutral")
    assert len(reading.examples) == 4


def test_pairs_with_a_score_are_read_also_with_a_decimal_comma() -> None:
    found, reading = understood((FILES / "scores.csv").read_bytes())

    assert found.form.task is Task.regression
    assert reading.examples[-1] == ScoreExample(4, "A cat sleeps.", "The stock market fell.", 0.25)
    assert dropped(reading) == {5: DropCode.bad_score}


USER, ASSISTANT, SYSTEM = ChatRole.user, ChatRole.assistant, ChatRole.system


@pytest.mark.parametrize(
    ("name", "layout", "first", "left_out"),
    [
        (
            "openai-messages.jsonl",
            Layout.messages,
            (
                Message(SYSTEM, "Be brief."),
                Message(USER, "Where is my parcel?"),
                Message(ASSISTANT, "Let me look.", 0.0),
                Message(USER, "Well?"),
                Message(ASSISTANT, "It arrives tomorrow.", 1.0),
            ),
            {3: DropCode.no_answer, 4: DropCode.unknown_role},
        ),
        (
            "prompt-completion.jsonl",
            Layout.prompt_completion,
            (Message(USER, "Where is my parcel?"), Message(ASSISTANT, "It arrives tomorrow.")),
            {3: DropCode.no_answer},
        ),
        (
            "alpaca.json",
            Layout.alpaca,
            (Message(USER, "Translate into French.\n\nGood morning"), Message(ASSISTANT, "Bonjour")),
            {},
        ),
        (
            "sharegpt.json",
            Layout.sharegpt,
            (Message(SYSTEM, "Be brief."), Message(USER, "Hi"), Message(ASSISTANT, "Hello.")),
            {},
        ),
    ],
)
def test_conversations_are_read(
    name: str, layout: Layout, first: tuple[Message, ...], left_out: dict[int, DropCode]
) -> None:
    found, reading = understood((FILES / name).read_bytes())

    assert (found.form.layout, found.form.task) == (layout, Task.chat)
    assert reading.examples[0] == ChatExample(1, first)
    assert len(reading.examples) == 2
    assert dropped(reading) == left_out


@pytest.mark.parametrize("file", sorted(FILES.iterdir()), ids=lambda file: file.name)
def test_every_file_adds_up_and_survives_its_lines(file: Path) -> None:
    found, reading = understood(file.read_bytes())

    rows = [item.row for item in (*reading.examples, *reading.dropped)]
    first = 1 + found.form.has_header
    assert sorted(rows) == list(range(first, first + reading.rows_in))
    assert [from_line(to_line(example)) for example in reading.examples] == list(reading.examples)
    assert found.reason.endswith(".")
    assert type(found.form).model_validate_json(found.form.model_dump_json()) == found.form


def zipped(content: bytes) -> bytes:
    return zip_of(**{"data.csv": content, "__MACOSX/._data.csv": b"clutter"})


@pytest.mark.parametrize(("pack", "packing"), [(gzip.compress, Packing.gzip), (zipped, Packing.zip)])
@pytest.mark.parametrize("file", sorted(FILES.iterdir()), ids=lambda file: file.name)
def test_every_file_is_read_packed_as_it_is_unpacked(
    file: Path, pack: Callable[[bytes], bytes], packing: Packing
) -> None:
    plain, reading = understood(file.read_bytes())

    found, packed = understood(pack(file.read_bytes()))

    assert found.form == plain.form.changed(packing=packing)
    assert packed == reading


def parquet(columns: dict[str, list[Any]], features: dict[str, Any] | None = None) -> bytes:
    table = pyarrow.table(columns)
    if features:
        said = json.dumps({"info": {"features": features}}).encode()
        table = table.replace_schema_metadata({b"huggingface": said})
    target = io.BytesIO()
    pyarrow.parquet.write_table(table, target)
    return target.getvalue()


def test_parquet_brings_the_names_of_its_numbered_labels() -> None:
    content = parquet(
        {"text": ["good", "bad", "fine", " "], "label": [1, 0, 1, 0]},
        {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}},
    )

    found, reading = understood(content)

    assert (found.form.container, found.form.label_names) == (Container.parquet, ("neg", "pos"))
    assert [example.labels for example in reading.examples] == [("pos",), ("neg",), ("pos",)]
    assert dropped(reading) == {4: DropCode.empty_text}
    assert reading.notes == ()


def test_parquet_of_tokens_and_numbered_tags_is_read_by_their_names() -> None:
    names = ["O", "B-PER", "I-PER", "B-LOC"]
    content = parquet(
        {"tokens": [["Anna", "Keller", "left"], ["Oslo"]], "ner_tags": [[1, 2, 0], [3]]},
        {"ner_tags": {"feature": {"names": names, "_type": "ClassLabel"}, "_type": "Sequence"}},
    )

    _, reading = understood(content)

    assert list(reading.examples) == sentences("1 Anna/B-PER Keller/I-PER left/O", "2 Oslo/B-LOC")


def test_a_workbook_is_read_from_its_first_sheet_with_anything_in_it() -> None:
    table = [["text", "label"], ["well done", 1], [None, None], ["how sad", 2.5], ["so what", None]]
    content = workbook(Empty="", Data=rows_of(table), Other=rows_of([["x", "y"]]))

    found, reading = understood(content)

    assert (found.form.container, found.form.sheet, found.form.encoding) == (Container.excel, "Data", None)
    assert list(reading.examples) == [TextExample(2, "well done", "1"), TextExample(4, "how sad", "2.5")]
    assert dropped(reading) == {3: DropCode.empty_row, 5: DropCode.missing_label}
    assert NoteCode.other_sheets in {note.code for note in reading.notes}


def test_workbooks_and_parquet_are_read_packed_as_well() -> None:
    table = [["text", "label"], ["well done", "joy"], ["how sad", "grief"]]
    for content in (workbook(Data=rows_of(table)), parquet({"text": ["well done"], "label": ["joy"]})):
        for pack, packing in ((gzip.compress, Packing.gzip), (zipped, Packing.zip)):
            plain, reading = understood(content)

            found, packed = understood(pack(content))

            assert (found.form, packed) == (plain.form.changed(packing=packing), reading)


def test_another_sheet_may_be_read() -> None:
    content = workbook(Data=rows_of([["a", "b"]]), Other=rows_of([["text", "label"], ["hi", "x"]]))

    assert guess(content, sheet="Other").form.columns == ("text", "label")
    with pytest.raises(UnknownSheet, match="“Data”, “Other”"):
        guess(content, sheet="Third")


def test_numbers_that_stand_for_labels_are_noted() -> None:
    _, reading = understood(b"text,label\nwell done,1\nhow sad,0\ngood,1\nbad,0\n")

    assert [note.code for note in reading.notes] == [NoteCode.numbers_as_labels]


def test_numbers_take_the_names_that_are_given() -> None:
    content = b"text,label\nwell done,1\nhow sad,0\ngood,1\nbad,7\n"

    found = guess(content, label_names=("grief", "joy"))

    labels = [example.labels for example in read(content, found.form).examples]
    assert labels == [("joy",), ("grief",), ("joy",), ("7",)]


def test_agreement_and_skipped_annotations_are_told() -> None:
    _, reading = understood((FILES / "label-studio-entities.json").read_bytes())

    told = {note.code: note for note in reading.notes}
    assert told[NoteCode.several_annotators].rows == (1,)
    # Three pairs of annotators share one of two answers, or both.
    assert "agree on 67% of their answers" in told[NoteCode.several_annotators].sentence
    assert told[NoteCode.skipped_annotations].rows == (1,)
    assert told[NoteCode.utf16_offsets].rows == (2,)


def test_a_tool_says_how_it_was_known() -> None:
    found, _ = understood((FILES / "label-studio-entities.json").read_bytes())

    assert found.confidence is Confidence.certain
    assert "this looks like Label Studio" in found.reason


def test_what_the_person_knows_is_taken_as_known() -> None:
    content = (FILES / "pairs.tsv").read_bytes()

    found = guess(content, task=Task.text_classification, text_column="hypothesis", label_column="premise")

    assert (found.form.task, found.form.pair_column) == (Task.text_classification, None)
    assert (found.form.text_column, found.form.label_column) == ("hypothesis", "premise")
