"""A file's first rows, each column under a choice of what it holds."""

from collections.abc import Sequence
from enum import StrEnum

import streamlit as st

from portal.errors import show
from portal.highlight import literal
from services.datasets.detection import Guess
from services.datasets.formats import Format, Separator
from services.errors import Invalid, ServiceError
from services.training.recipe import Task

_PER_ROW = 6
_CHARACTERS = 120


class Role(StrEnum):
    """What a column holds."""

    unused = "unused"
    text = "text"
    pair = "pair"
    label = "label"
    flag = "flag"
    division = "split"
    group = "group"


_WORDS = {
    Role.unused: "Not used",
    Role.text: "Text",
    Role.pair: "Second text",
    Role.label: "Label",
    Role.flag: "A label, 0 or 1",
    Role.division: "Split",
    Role.group: "Group",
}
# Where a task has words of its own.
_WORDS_OF: dict[Task, dict[Role, str]] = {
    Task.token_classification: {Role.text: "Tokens", Role.label: "Tags"},
    Task.multi_label: {Role.label: "Labels"},
    Task.pair_classification: {Role.text: "First text"},
    Task.regression: {Role.label: "Score"},
    Task.chat: {Role.text: "Prompt or turns", Role.pair: "More of the prompt", Role.label: "Answer"},
}
_ROLES: dict[Task, tuple[Role, ...]] = {
    Task.text_classification: (Role.text, Role.label),
    Task.multi_label: (Role.text, Role.label, Role.flag),
    Task.token_classification: (Role.text, Role.label),
    Task.pair_classification: (Role.text, Role.pair, Role.label),
    Task.regression: (Role.text, Role.pair, Role.label),
    Task.chat: (Role.text, Role.pair, Role.label),
    Task.unlabelled: (Role.text,),
}
_SEPARATORS: dict[Separator | None, str] = {
    ",": "Comma",
    "|": "Vertical bar",
    ";": "Semicolon",
    None: "None: each cell is a list, or one label",
}


class ColumnMissing(Invalid):
    """No column was said to hold what is needed."""

    code = "column_missing"

    def __init__(self, roles: Sequence[str]) -> None:
        named = " and ".join(f"“{role}”" for role in roles)
        super().__init__(f"No column is said to be {named}. Choose it above the column that holds it.")
        self.roles = tuple(roles)


def column_roles(found: Guess, form: Format, *, key: str) -> Format | None:
    """`form` with what the person says of each column; None where it cannot be so, which is then shown."""
    # Other columns, or another task, are other choices: what was chosen among the former ones is forgotten.
    place = f"{hash(form.columns)}:{form.task}:{form.layout}:{key}"
    words = {**_WORDS, **_WORDS_OF.get(form.task, {})}
    roles = [Role.unused, *_ROLES[form.task], Role.division, Role.group]
    chosen = _table(found, form, roles, words, place)
    try:
        return _more(found, _form_of(form, chosen, words), place)
    except ServiceError as problem:
        show(problem)
        return None


def _table(
    found: Guess, form: Format, roles: list[Role], words: dict[Role, str], place: str
) -> dict[str, Role]:
    """Column -> what it is said to hold; beyond a first row of columns, those in use come first."""
    used = form.used_columns
    shown = list(form.columns)
    if len(shown) > _PER_ROW:
        shown.sort(key=lambda name: name not in used)
    chosen = {}
    for first in range(0, len(shown), _PER_ROW):
        some = shown[first : first + _PER_ROW]
        here = st.container() if first == 0 else st.expander(f"Columns {first + 1} to {first + len(some)}")
        with here:
            for at, column in zip(st.columns(min(len(shown), _PER_ROW)), some, strict=False):
                with at:
                    chosen[column] = _column(found, form, column, roles, words, place)
    return chosen


def _column(
    found: Guess, form: Format, column: str, roles: list[Role], words: dict[Role, str], place: str
) -> Role:
    now = _role(form, column)
    role: Role = st.selectbox(
        literal(column),
        roles if now in roles else [*roles, now],
        index=(roles if now in roles else [*roles, now]).index(now),
        format_func=words.__getitem__,
        key=f"role:{column}:{place}",
        on_change=_alone,
        args=(column, form.columns, place),
    )
    position = form.columns.index(column)
    for row in found.sample:
        cell = row[position] if position < len(row) else ""
        # On one line, so that the cells of a row stay side by side.
        room = _CHARACTERS // min(len(form.columns), _PER_ROW)
        cut = f"{cell[:room]}…" if len(cell) > room else cell
        st.markdown(f":small[:gray[{literal(' '.join(cut.split()))}]]" if cut.strip() else ":small[:gray[–]]")
    return role


def _role(form: Format, column: str) -> Role:
    held: dict[str | None, Role] = {
        form.text_column: Role.text,
        form.pair_column: Role.pair,
        form.label_column: Role.label,
        form.split_column: Role.division,
        form.group_column: Role.group,
        **dict.fromkeys(form.label_columns, Role.flag),
    }
    return held.get(column, Role.unused)


def _alone(column: str, columns: Sequence[str], place: str) -> None:
    """Whoever had the role before has it no more; only flags may be several."""
    role = st.session_state[f"role:{column}:{place}"]
    for other in columns:
        key = f"role:{other}:{place}"
        if other != column and role not in (Role.unused, Role.flag) and st.session_state.get(key) == role:
            st.session_state[key] = Role.unused
        if {role, st.session_state.get(key)} == {Role.label, Role.flag}:
            st.session_state[key] = Role.unused


def _form_of(form: Format, chosen: dict[str, Role], words: dict[Role, str]) -> Format:
    """The format in which columns are what was chosen.

    Raises:
        ColumnMissing: the task needs a column that was not named.
    """
    holding = {role: [name for name, given in chosen.items() if given is role] for role in Role}
    one = {role: next(iter(names), None) for role, names in holding.items()}
    needed = {Role.text, *((Role.pair, Role.label) if form.task is Task.pair_classification else ())}
    if form.task in (Task.text_classification, Task.token_classification, Task.regression):
        needed |= {Role.label} if _role(form, form.label_column or "") is Role.label else set()
    if form.task is Task.multi_label and not holding[Role.flag] and form.label_column is not None:
        needed.add(Role.label)
    if missing := [words[role] for role in Role if role in needed and one[role] is None]:
        raise ColumnMissing(missing)
    return form.changed(
        text_column=one[Role.text],
        pair_column=one[Role.pair],
        label_column=one[Role.label],
        label_columns=tuple(holding[Role.flag]),
        split_column=one[Role.division],
        group_column=one[Role.group],
    )


def _more(found: Guess, form: Format, place: str) -> Format:
    """What stands between several labels, and the names of labels that are numbers."""
    if form.label_column is None or form.task in (Task.regression, Task.chat):
        return form
    first, second = st.columns([1, 2], vertical_alignment="bottom")
    if form.task is Task.multi_label:
        options = list(_SEPARATORS)
        separator = first.selectbox(
            "Between labels",
            options,
            index=options.index(form.separator),
            format_func=_SEPARATORS.__getitem__,
            key=f"separator:{place}",
        )
        form = form.changed(separator=separator)
    position = form.columns.index(form.label_column)
    cells = [row[position] for row in found.sample if position < len(row)]
    if form.label_names or (cells and all(_are_numbers(cell) for cell in cells)):
        names = second.text_input(
            "Names of the labels 0, 1, 2 and so on",
            ", ".join(form.label_names),
            placeholder="negative, positive",
            help="The file has numbers for labels. Put commas between the names; empty keeps numbers.",
            key=f"names:{place}",
        )
        form = form.changed(label_names=tuple(name.strip() for name in names.split(",") if name.strip()))
    return form


def _are_numbers(cell: str) -> bool:
    digits = "".join(character for character in cell if character not in "[](), |;")
    return digits.isdecimal()
