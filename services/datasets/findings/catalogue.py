"""What can be found, and what people are told about it."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much it matters, the worst first."""

    error = "error"  # the data cannot be trained on as it is
    warning = "warning"  # the model, or what its report says, will be worse for it
    note = "note"  # worth a look


class FixName(StrEnum):
    """What can be done about a finding in one press; `fixes` has the class of each name."""

    drop_rows = "drop_rows"
    clean = "clean"
    trim = "trim"
    map_labels = "map_labels"
    dedupe = "dedupe"
    move_leaks = "move_leaks"
    redact = "redact"
    edit_row = "edit_row"


class Code(StrEnum):
    """Everything that is looked for in the rows that are used."""

    short_text = "short_text"
    long_text = "long_text"
    control_characters = "control_characters"
    mojibake = "mojibake"
    html = "html"
    mixed_languages = "mixed_languages"
    unknown_label = "unknown_label"
    similar_labels = "similar_labels"
    rare_label = "rare_label"
    label_imbalance = "label_imbalance"
    conflicting_labels = "conflicting_labels"
    duplicate = "duplicate"
    near_duplicate = "near_duplicate"
    leakage = "leakage"
    near_leakage = "near_leakage"
    never_outside = "never_outside"
    roles_out_of_order = "roles_out_of_order"
    empty_turn = "empty_turn"
    over_context = "over_context"
    email_address = "email_address"
    phone_number = "phone_number"
    card_number = "card_number"
    iban = "iban"
    national_id = "national_id"
    too_little_data = "too_little_data"


@dataclass(frozen=True, slots=True)
class Advice:
    """What a person is told about a finding, wherever it occurs."""

    severity: Severity
    title: str
    why: str
    what_to_do: str
    fix: FixName | None = None


_PERSONAL = "What a model has learned cannot be taken out of it again, and it may be asked for it."
_REDACT = "Redact it, unless the model needs it and you may use it so."

ADVICE = {
    Code.short_text: Advice(
        Severity.note,
        "Texts too short to tell",
        "Two letters or a punctuation mark give a model nothing to go by; it learns chance.",
        "Drop these rows, unless people really write so to you.",
        FixName.drop_rows,
    ),
    Code.long_text: Advice(
        Severity.note,
        "Texts longer than a model reads",
        "A model reads the beginning of a text; the rest is cut off before training and before predicting.",
        "Put what matters first, or choose a higher max_length in Custom.",
    ),
    Code.control_characters: Advice(
        Severity.note,
        "Invisible control characters",
        "They look like nothing and are read all the same; they come from copying and from old systems.",
        "Clean the texts.",
        FixName.clean,
    ),
    Code.mojibake: Advice(
        Severity.warning,
        "Letters broken by a wrong encoding",
        "The model learns “cafÃ©” and will not know “café” when somebody writes it.",
        "Clean the texts, which repairs what can be repaired, or export the file as UTF-8 again.",
        FixName.clean,
    ),
    Code.html: Advice(
        Severity.note,
        "HTML in texts",
        "Tags and entities take up room that words should have, and tell the model where a text came from.",
        "Clean the texts, unless people will send you HTML.",
        FixName.clean,
    ),
    Code.mixed_languages: Advice(
        Severity.note,
        "Several languages",
        "A base model for English understands little else, and what it learns in one language hardly "
        "carries over to another.",
        "Choose the base model for many languages, or make a data set for each language.",
    ),
    Code.unknown_label: Advice(
        Severity.warning,
        "Labels that were not there before",
        "The data set's earlier version does not have them: a new label, or an old one misspelt.",
        "Merge them with the labels that are meant, or keep them if they are new.",
    ),
    Code.similar_labels: Advice(
        Severity.warning,
        "Labels that are nearly the same",
        "Labels that differ in case, spaces or a letter are different to a model, which must then guess.",
        "Merge them.",
        FixName.map_labels,
    ),
    Code.rare_label: Advice(
        Severity.warning,
        "Labels with too few rows",
        "From under ten examples a model learns to ignore a label, and no test can tell how well it does.",
        "Add rows for these labels, merge them with others, or drop them.",
        FixName.drop_rows,
    ),
    Code.label_imbalance: Advice(
        Severity.note,
        "Unbalanced labels",
        "A model that always names the most frequent label is often right, so the rare ones suffer.",
        "Add rows for the rare labels, and judge the model by macro F1 rather than by accuracy.",
    ),
    Code.conflicting_labels: Advice(
        Severity.warning,
        "Same text, different labels",
        "Whatever the model answers will be wrong for one of the rows.",
        "Decide which label is right and edit the rows, or drop them all.",
        FixName.drop_rows,
    ),
    Code.duplicate: Advice(
        Severity.note,
        "Exact copies",
        "Copies count several times in training. They are kept in one split, so the test stays honest.",
        "Keep the first of each.",
        FixName.dedupe,
    ),
    Code.near_duplicate: Advice(
        Severity.note,
        "Near copies",
        "Texts that differ in a letter or two teach little new. They are kept in one split, so the test "
        "stays honest.",
        "Look at some; often a template or a form letter is behind them.",
    ),
    Code.leakage: Advice(
        Severity.warning,
        "Test rows that are trained on",
        "The model knows their answers by heart, so the report praises it too much.",
        "Move them to train.",
        FixName.move_leaks,
    ),
    Code.near_leakage: Advice(
        Severity.warning,
        "Test rows with near copies in train",
        "The model has seen almost the same text, so the report praises it too much.",
        "Move them to train.",
        FixName.move_leaks,
    ),
    Code.never_outside: Advice(
        Severity.warning,
        "Sentences that are entities from end to end",
        "Where no word is outside of an entity, a model learns to mark everything.",
        "Give whole sentences, with the words around each entity tagged O.",
    ),
    Code.roles_out_of_order: Advice(
        Severity.warning,
        "Roles out of order",
        "A conversation begins with the system or the user, user and assistant take turns, and the "
        "assistant has the last word: so the model will be asked.",
        "Correct these conversations, or drop them.",
        FixName.drop_rows,
    ),
    Code.empty_turn: Advice(
        Severity.warning,
        "Turns without words",
        "A model that learns from empty answers gives empty answers.",
        "Correct these conversations, or drop them.",
        FixName.drop_rows,
    ),
    Code.over_context: Advice(
        Severity.warning,
        "Conversations longer than the context",
        "What does not fit is cut off, and the last answer, which matters most, goes first.",
        "Shorten these conversations, divide them, or drop them.",
        FixName.drop_rows,
    ),
    Code.email_address: Advice(Severity.warning, "E-mail addresses", _PERSONAL, _REDACT, FixName.redact),
    Code.phone_number: Advice(Severity.warning, "Phone numbers", _PERSONAL, _REDACT, FixName.redact),
    Code.card_number: Advice(Severity.warning, "Card numbers", _PERSONAL, _REDACT, FixName.redact),
    Code.iban: Advice(Severity.warning, "Bank account numbers (IBAN)", _PERSONAL, _REDACT, FixName.redact),
    Code.national_id: Advice(
        Severity.warning, "Numbers of identity, tax or social security", _PERSONAL, _REDACT, FixName.redact
    ),
    Code.too_little_data: Advice(
        Severity.note,
        "Little data for this task",
        "More examples help more than any setting, until there are some hundreds of each label.",
        "Add rows, most of all for the labels that have the fewest.",
    ),
}
