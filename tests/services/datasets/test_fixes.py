import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from services.datasets.examples import (
    ChatExample,
    ChatRole,
    Example,
    Message,
    MultiLabelExample,
    PairExample,
    ScoreExample,
    TextExample,
)
from services.datasets.findings.catalogue import ADVICE, Code, FixName
from services.datasets.findings.examine import examine
from services.datasets.fixes import (
    Clean,
    Dedupe,
    DropRows,
    EditRow,
    Fix,
    MapLabels,
    MoveLeaks,
    Redact,
    Trim,
    apply,
    suggested,
)
from services.datasets.rewriting import EditUnfit
from services.datasets.split import Split
from tests.services.datasets.factories import sentence, texts

FIXES: TypeAdapter[list[Fix]] = TypeAdapter(list[Fix])
FORGOTTEN = "What should I do if my phone is lost or stolen?"
EVERY_FIX = [
    DropRows(rows=(3, 9)),
    Trim(),
    Clean(),
    MapLabels(labels={"Refund": "refund"}),
    Dedupe(),
    MoveLeaks(),
    Redact(kinds=(Code.email_address, Code.iban)),
    EditRow(row=4, text="better", labels=("b",)),
]


def labelled(*pairs: tuple[str, str]) -> list[Example]:
    return [TextExample(row, text, label) for row, (text, label) in enumerate(pairs, 2)]


def told(examples: list[Example], *fixes: Fix) -> list[tuple[int, str, str]]:
    return [(e.row, e.text, e.labels[0]) for e in apply(examples, fixes).examples]


def test_rows_are_dropped_by_their_number_in_the_file() -> None:
    assert told(labelled(("x", "a"), ("y", "a"), ("z", "b")), DropRows(rows=(3, 99))) == [
        (2, "x", "a"),
        (4, "z", "b"),
    ]


def test_trimming_leaves_one_space_between_words() -> None:
    assert told(labelled(("  two \n words ", " a  b ")), Trim()) == [(2, "two words", "a b")]


def test_cleaning_repairs_letters_and_takes_out_what_is_no_text() -> None:
    assert told(labelled(("<p>cafÃ©\x07</p>", "a")), Clean()) == [(2, "café", "a")]


def test_what_is_nothing_but_html_stays_as_it_is() -> None:
    assert told(labelled(("<br>", "a")), Clean()) == [(2, "<br>", "a")]


def test_labels_are_merged_in_every_kind_of_example() -> None:
    merge = MapLabels(labels={"Refund": "refund"})
    examples = [
        TextExample(1, "x", "Refund"),
        MultiLabelExample(2, "x", ("Refund", "order", "refund")),
        sentence(3, "x/B-Refund", "y/I-Refund", "z/O"),
        PairExample(4, "x", "y", "Refund"),
        ScoreExample(5, "x", "", 1.0),
    ]

    fixed = apply(examples, [merge]).examples

    assert [example.labels for example in fixed] == [
        ("refund",),
        ("order", "refund"),
        ("refund",),
        ("refund",),
        (),
    ]


def test_of_copies_the_first_is_kept_and_contradictions_stay() -> None:
    examples = labelled(("same", "a"), ("same", "b"), ("same", "a"), ("other", "a"))

    assert told(examples, Dedupe()) == [(2, "same", "a"), (3, "same", "b"), (5, "other", "a")]


def test_leaking_rows_move_to_train_and_others_stay_where_they_are() -> None:
    examples = labelled(
        (FORGOTTEN, "a"), (FORGOTTEN.upper(), "a"), ("something else entirely, far away", "b")
    )
    given = {2: Split.train, 3: Split.test, 4: Split.test}

    fixed = apply(examples, [MoveLeaks()], given=given)

    assert fixed.given == {2: Split.train, 3: Split.train, 4: Split.test}
    assert fixed.changes[0].rows_changed == 1


def test_personal_data_becomes_a_word_also_where_it_runs_over_tokens() -> None:
    examples = [sentence(1, "call/O", "+49/B-phone", "30/I-phone", "901820/I-phone", "now/O")]

    (fixed,) = apply(examples, [Redact(kinds=(Code.phone_number,))]).examples

    assert fixed.text == "call [phone] [phone] [phone] now"
    assert fixed.labels == ("phone",)
    assert told(labelled(("x@example.com", "a")), Redact(kinds=(Code.phone_number,))) == [
        (2, "x@example.com", "a")
    ]


def test_the_words_of_a_conversation_are_redacted_turn_by_turn() -> None:
    turns = (Message(ChatRole.user, "I am x@example.com"), Message(ChatRole.assistant, "hello", 0.5))

    (fixed,) = apply([ChatExample(1, turns)], [Redact(kinds=(Code.email_address,))]).examples

    assert fixed == ChatExample(1, (Message(ChatRole.user, "I am [e-mail]"), turns[1]))


def test_one_row_gets_another_text_and_label() -> None:
    examples = labelled(("x", "a"), ("y", "a"))

    assert told(examples, EditRow(row=3, text="better")) == [(2, "x", "a"), (3, "better", "a")]
    assert told(examples, EditRow(row=3, labels=("b",))) == [(2, "x", "a"), (3, "y", "b")]


def test_labels_and_tags_are_edited_as_the_kind_of_example_has_them() -> None:
    examples = [MultiLabelExample(1, "x", ("a",)), sentence(2, "x/O", "y/O"), PairExample(3, "x", "y", "a")]
    edits = [
        EditRow(row=1, labels=()),
        EditRow(row=2, labels=("O", "B-place")),
        EditRow(row=3, labels=("b",)),
    ]

    fixed = apply(examples, edits).examples

    assert [example.labels for example in fixed] == [(), ("place",), ("b",)]


@pytest.mark.parametrize(
    "edit",
    [
        EditRow(row=2, text=" "),
        EditRow(row=2, text="NUL\0"),
        EditRow(row=2, text="x" * 100_001),
        EditRow(row=2, labels=("x" * 201,)),
        EditRow(row=2, labels=()),
        EditRow(row=2, labels=("a", "b")),
        EditRow(row=2, labels=(" ",)),
        EditRow(row=3, text="a b"),
        EditRow(row=3, labels=("O",)),
        EditRow(row=3, labels=("O", "place")),
    ],
)
def test_an_edit_that_does_not_suit_its_row_is_refused(edit: EditRow) -> None:
    with pytest.raises(EditUnfit):
        apply([TextExample(2, "x", "a"), sentence(3, "x/O", "y/O")], [edit])


def test_each_fix_says_what_it_did() -> None:
    examples = labelled(("x", "a"), ("x", "a"), ("y", "A"), ("z", "b"))

    changes = apply(examples, [Dedupe(), MapLabels(labels={"A": "a"})]).changes

    assert [(c.rows_before, c.rows_after, c.rows_changed) for c in changes] == [(4, 3, 0), (3, 3, 1)]
    assert [(c.labels_before, c.labels_after) for c in changes] == [(3, 3), (3, 2)]


def test_leaving_a_fix_out_undoes_it() -> None:
    examples = labelled(("x", "a"), ("x", "a"), ("y@example.com", "b"))
    fixes = [Dedupe(), Redact(kinds=(Code.email_address,))]

    assert told(examples, *fixes[1:]) == told(apply(examples, fixes[1:]).examples)
    assert told(examples) == [(2, "x", "a"), (3, "x", "a"), (4, "y@example.com", "b")]


def test_fixes_survive_being_stored() -> None:
    assert FIXES.validate_json(FIXES.dump_json(EVERY_FIX)) == EVERY_FIX
    assert {fix.name for fix in EVERY_FIX} == set(FixName)


@given(st.permutations(EVERY_FIX[:1] + EVERY_FIX[3:4] + EVERY_FIX[7:]))
def test_dropping_renaming_and_editing_may_stand_in_any_order(fixes: list[Fix]) -> None:
    examples = labelled(("x", "a"), ("y", "Refund"), ("z", "a"), ("w", "Refund"))

    assert told(examples, *fixes) == [(2, "x", "a"), (4, "better", "b"), (5, "w", "refund")]


def test_a_finding_that_names_a_fix_is_gone_after_it() -> None:
    examples = [
        *texts(refund=60, order=60, Order=12, few=3),
        *(
            TextExample(200 + number, text, "refund")
            for number, text in enumerate(["ok", "x@example.com", "a\x07b"])
        ),
        *(TextExample(300 + number, "the same", "order") for number in range(3)),
        *(TextExample(400 + number, "yes and no", label) for number, label in enumerate(["order", "refund"])),
        TextExample(500, "caf\u00c3\u00a9 <b>au lait</b>", "order"),
    ]
    findings = [finding for finding in examine(examples).findings if finding.fix]

    assert len(findings) >= 8
    for finding in findings:
        fix = suggested(finding)
        assert fix is not None
        assert fix.name is finding.fix
        after = {found.code for found in examine(apply(examples, [fix]).examples).findings}
        assert finding.code not in after


def test_whatever_advice_names_a_fix_leads_to_one() -> None:
    assert {advice.fix for advice in ADVICE.values()} - {None} == set(FixName) - {
        FixName.trim,
        FixName.edit_row,
    }
