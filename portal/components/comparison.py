"""Versions beside one another: figures, rows that they disagree about, labels and settings that differ."""

from collections.abc import Sequence

import streamlit as st

from portal.components.chart import chart
from portal.components.heights import up_to
from portal.components.kpi import Kpi, kpi_row
from portal.report_charts import differences
from portal.verdict import METRIC_NAMES, chance, difference, figure
from services.registry import comparing
from services.registry.comparing import SharedRow
from services.training.reporting.report import Report
from services.training.reporting.significance import SURE

_PER_PAGE = 25
_ANY = "Any of them"


def standing(rows: Sequence[SharedRow], titles: Sequence[str], metric: str) -> None:
    """Each version's figure on the same rows, and the first against each of the others."""
    apart = [comparing.difference(rows, 0, place) for place in range(1, len(titles))]
    kpi_row(
        *(
            Kpi(
                f"{METRIC_NAMES[metric]} of {title.lower()}",
                figure(metric, comparing.score(rows, place)),
                note=f"on {len(rows):,} rows of all",
            )
            for place, title in enumerate(titles)
        )
    )
    for title, one in zip(titles[1:], apart, strict=True):
        sure = "surely" if one.p_value < SURE else "perhaps"
        verdict = "as good as" if not one.value else f"{sure} {'better' if one.value > 0 else 'worse'} than"
        st.markdown(
            f"**{titles[0]} is {verdict} {title.lower()}**: {difference(metric, one.value)}, {chance(one)}. "
            + (
                f"It is closer on {one.only_first:,} rows, the other on {one.only_second:,}."
                if metric == "r2"
                else f"It alone is right on {one.only_first:,} rows, the other alone on {one.only_second:,}."
            )
        )
    with st.container(border=True):
        chart(differences(titles[0], titles[1:], apart), key="differences")


@st.fragment
def disagreements(rows: Sequence[SharedRow], titles: Sequence[str]) -> None:
    """The rows on which not all versions say the same."""
    disputed = [row for row in rows if row.disputed]
    if not disputed:
        st.caption("The versions give the same answer to every one of these rows.")
        return
    right = st.segmented_control(
        "Right is", [_ANY, *titles], default=_ANY, required=True, key="right", bind="query-params"
    )
    shown = [
        row
        for row in disputed
        if right in (_ANY, None) or set(row.predicted[list(titles).index(right)]) == set(row.truth)
    ]
    st.caption(f"{len(shown):,} of {len(rows):,} rows")
    key = f"disputed:{right}"
    page = st.session_state.get(key, 1)
    part = shown[(page - 1) * _PER_PAGE : page * _PER_PAGE]
    st.dataframe(
        {
            "Row": [row.row for row in part],
            "Text": [row.text for row in part],
            "Truth": [_words(row, row.truth) for row in part],
            **{
                title: [_words(row, row.predicted[place]) for row in part]
                for place, title in enumerate(titles)
            },
        },
        column_config={
            "Row": st.column_config.NumberColumn(width=60, help="The row's number in the file"),
            "Text": st.column_config.TextColumn(width="large"),
        },
        hide_index=True,
        height=up_to(_PER_PAGE, len(part)),
        alt="Rows that the versions disagree about",
    )
    if len(shown) > _PER_PAGE:
        st.pagination(-(-len(shown) // _PER_PAGE), key=key)


def label_changes(reports: Sequence[Report], titles: Sequence[str]) -> None:
    """F1 of each label where it differs, the largest change first; each on its own test split."""
    scores = [{one.label: one.f1 for one in report.per_class} for report in reports]
    every = sorted(set().union(*scores))
    told = [(label, [some.get(label) for some in scores]) for label in every]
    changed = [(label, values) for label, values in told if len(set(values)) > 1]
    if not changed:
        st.caption("No label is answered better or worse.")
        return
    changed.sort(key=lambda one: -abs((one[1][0] or 0) - (one[1][1] or 0)))
    st.caption(f"{len(changed)} of {len(every)} labels differ in F1; each version on its own test split.")
    st.dataframe(
        {
            "Label": [label for label, _ in changed],
            "Change": [((values[0] or 0) - (values[1] or 0)) * 100 for _, values in changed],
            **{
                title: [None if (value := values[place]) is None else value * 100 for _, values in changed]
                for place, title in enumerate(titles)
            },
        },
        column_config={
            "Change": st.column_config.NumberColumn(
                format="%+.1f", help="Points of F1, the first version less the second"
            ),
            **{
                title: st.column_config.ProgressColumn(format="%.1f %%", min_value=0, max_value=100)
                for title in titles
            },
        },
        hide_index=True,
        height=up_to(20, len(changed)),
        alt="Labels whose F1 differs",
    )


def recipe_changes(reports: Sequence[Report], titles: Sequence[str]) -> None:
    """Settings, data and packages that differ."""
    told = [_settings(report) for report in reports]
    names = list(dict.fromkeys(name for some in told for name in some))
    changed = [name for name in names if len({some.get(name) for some in told}) > 1]
    if not changed:
        st.caption("The recipes, the data and the packages are the same.")
        return
    st.dataframe(
        {"Setting": changed}
        | {title: [some.get(name, "") for name in changed] for title, some in zip(titles, told, strict=True)},
        hide_index=True,
        alt="Settings that differ",
    )


def _settings(report: Report) -> dict[str, str]:
    recipe = report.recipe
    settings = {name.replace("_", " ").capitalize(): str(value) for name, value in recipe.hyperparameters}
    return {
        "Base model": report.base_model,
        "Preset": recipe.preset.value,
        "Seed": str(recipe.seed),
        **settings,
        "Training rows": f"{report.rows.train:,}",
        "Data": report.data_hash[:12],
        "Device": report.device,
        **{f"Package {name}": version for name, version in report.packages.items()},
    }


def _words(row: SharedRow, answers: Sequence[str]) -> str:
    if not row.tokens:
        return ", ".join(answers) or "none"
    told = []
    for answer in answers:
        start, end, kind = answer.split(":", 2)
        told.append(f"{' '.join(row.tokens[int(start) : int(end)])} ({kind})")
    return ", ".join(told) or "no entity"
