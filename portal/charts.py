"""Charts: values in, a Plotly figure out, with the finding as its title. `components.chart` shows them.

Grounds, text and grids are left to Streamlit's theme, so that a figure works in light and dark.
"""

import html
from collections.abc import Collection, Mapping, Sequence
from math import sqrt

from plotly import graph_objects as go

from portal import verdict
from portal.curves import smoothed
from portal.format import percent
from portal.verdict import METRIC_NAMES, SHARES, difference, method
from services.training.reporting.report import Baseline, Confusion

# The palette of .streamlit/config.toml, each colour with what it stands for everywhere.
BLUE, TEAL, ORANGE, VIOLET, GREEN, GRAY = "#3b5bdb", "#0c8599", "#e8590c", "#9c36b5", "#2f9e44", "#868e96"
OURS, REST, WRONG, RIGHT = BLUE, GRAY, ORANGE, GREEN


# More bars than this are drawn thin and without names, which the pointer then tells.
_MOST_NAMED = 24
# Below this a score has a scale of its own.
_LOW_SCORE = 0.2
# Of fewer steps each has its tick.
_FEW_STEPS = 6
_ROW_HEIGHT = 26
_QUARTERS = (0, 0.25, 0.5, 0.75, 1)

# The template of all figures. Streamlit's theme overwrites a figure's own template, so these stand in the
# layout, where they are kept.
_TEMPLATE = {
    "margin": {"t": 8, "b": 8, "l": 0, "r": 28},
    "bargap": 0.25,
    "showlegend": False,
    "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    "separators": ".,",
    "hoverlabel": {"namelength": -1},
}


def _figure(title: str, *traces: go.Bar | go.Scatter | go.Heatmap, x: str, y: str, height: int) -> go.Figure:
    figure = go.Figure(traces)
    figure.update_layout(_TEMPLATE, height=height, title_text=title)
    # Nobody zooms into bars by intention, and a drag on a phone is a scroll.
    # Even an empty title is given room.
    figure.update_xaxes(title_text=x or None, fixedrange=True)
    figure.update_yaxes(title_text=y or None, fixedrange=True)
    return figure


def label_balance(
    counts: Mapping[str, int], *, train_only: Collection[str] = (), unit: str = "rows"
) -> go.Figure:
    """How often each label occurs; labels that only the training split knows are marked by colour."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    names = [_plain(label) for label, _ in ordered]
    values = [count for _, count in ordered]
    colours = [WRONG if label in train_only else OURS for label, _ in ordered]
    title = _balance(ordered, unit)
    if len(ordered) > _MOST_NAMED:
        hover = f"%{{x}}<br>%{{y:,}} {unit}<extra></extra>"
        bars = go.Bar(x=names, y=values, marker_color=colours, hovertemplate=hover)
        figure = _figure(
            title, bars, x=f"{len(ordered)} labels, most frequent first", y=unit.capitalize(), height=260
        )
        figure.update_layout(bargap=0.1)
        return figure.update_xaxes(showticklabels=False)
    hover = f"%{{y}}<br>%{{x:,}} {unit}<extra></extra>"
    bars = go.Bar(
        x=values,
        y=names,
        orientation="h",
        marker_color=colours,
        hovertemplate=hover,
        texttemplate="%{x:,}",
        textangle=0,
        constraintext="none",
    )
    figure = _figure(title, bars, x=unit.capitalize(), y="", height=_rows_high(len(ordered)))
    return figure.update_yaxes(autorange="reversed")


def _balance(ordered: Sequence[tuple[str, int]], unit: str) -> str:
    (most, high), (least, low) = ordered[0], ordered[-1]
    if low and high / low < 1.5:
        each = f"{low:,}" if low == high else f"{low:,} to {high:,}"
        return f"The {len(ordered)} labels are balanced: {each} {unit} each"
    times = f"{high / low:,.1f} times as often as" if low else "far more often than"
    return f"“{most}” occurs {times} “{least}” ({high:,} and {low:,} {unit})"


def text_lengths(lengths: Mapping[int, int], *, read: int) -> go.Figure:
    """How long texts are; `lengths` is the upper end of a range in tokens -> texts, `read` what fits."""
    ends = list(lengths)
    # Ranges beyond the longest text say nothing.
    last = max((at for at, end in enumerate(ends) if lengths[end]), default=0)
    shown = ends[: last + 1]
    total = sum(lengths.values()) or 1
    fit = sum(count for end, count in lengths.items() if end <= read) / total
    names = [f"up to {end:,}" if at < len(ends) - 1 else f"over {ends[-2]:,}" for at, end in enumerate(shown)]
    bars = go.Bar(
        x=names,
        y=[lengths[end] for end in shown],
        marker_color=[OURS if end <= read else WRONG for end in shown],
        hovertemplate="%{x} tokens<br>%{y:,} texts<extra></extra>",
    )
    return _figure(
        f"{percent(fit, 0)} of the texts fit into {read:,} tokens",
        bars,
        x="Tokens, estimated",
        y="Texts",
        height=260,
    )


def loss(points: Sequence[tuple[int, float]]) -> go.Figure:
    """The training loss by optimiser step, as it was told and smoothed; a first value stands as a point."""
    mean = smoothed(points)
    (begin, first), (end, last) = mean[0], mean[-1]
    title = (
        f"Loss went from {first:.2f} to {last:.2f}" if end > begin else f"Loss was {last:.2f} at step {end}"
    )
    raw = _line(points, REST, hover="Step %{x:,}<br>loss %{y:.3f}").update(
        mode="lines", opacity=0.45, line_width=1
    )
    line = _line(mean, OURS, hover="Step %{x:,}<br>smoothed loss %{y:.3f}")
    # A line through one point is not seen.
    line.update(mode="lines" if end > begin else "markers")
    figure = _figure(title, raw, line, x="Optimiser step", y="Loss", height=240)
    # There are no half steps.
    figure.update_xaxes(dtick=1 if end - begin < _FEW_STEPS else None)
    return figure.update_yaxes(rangemode="tozero")


def score(points: Sequence[tuple[float, float]], metric: str) -> go.Figure:
    """The score on the validation split by epoch; `metric` decides how they are written."""
    name = METRIC_NAMES[metric]
    best_epoch, best = max(points, key=lambda point: point[1])
    when = f"in epoch {best_epoch:.3g}" if best_epoch else "before the first epoch"
    form = ".1%" if metric in SHARES else ".2f"
    title = f"{name} reached {verdict.figure(metric, best)} {when}"
    line = _line(points, OURS, hover=f"Epoch %{{x:.3~g}}<br>{name} %{{y:{form}}}")
    figure = _figure(title, line, x="Epoch", y=f"{name} (validation)", height=240)
    if len(points) <= _MOST_NAMED:
        figure.update_xaxes(tickvals=[epoch for epoch, _ in points], tickformat=".3~g")
    lowest = min(0.0, *(value for _, value in points))
    # All of the scale, unless the curve would lie on its floor.
    top = 1.02 if best > _LOW_SCORE else 1.3 * max(best, 0.01)
    return figure.update_yaxes(
        tickformat=_ticks(metric) if best > _LOW_SCORE else ".2~%" if metric in SHARES else ".2f",
        range=[max(-1.0, lowest), top],
    )


def _ticks(metric: str) -> str:
    return ".0%" if metric in SHARES else ".2f"


def _line(points: Sequence[tuple[float, float]], colour: str, *, hover: str) -> go.Scatter:
    return go.Scatter(
        x=[x for x, _ in points],
        y=[y for _, y in points],
        mode="lines+markers" if len(points) < 30 else "lines",
        line={"color": colour, "width": 2},
        marker={"size": 5 if len(points) > 1 else 9},
        hovertemplate=f"{hover}<extra></extra>",
    )


def against_baselines(
    value: float, interval: tuple[float, float], baselines: Sequence[Baseline], metric: str
) -> go.Figure:
    """The model beside simple methods on the same test rows, with its 95 % interval."""
    best = max(baselines, key=lambda baseline: baseline.value)
    apart = difference(metric, abs(value - best.value)).lstrip("+")
    stands = f"{apart} better than" if value > best.value else f"{apart} worse than"
    if verdict.figure(metric, value) == verdict.figure(metric, best.value):
        stands = "As good as"
    title = f"{stands} the best simple method ({method(best.name).lower()})"
    ours = _share_bar(["This model"], [value], OURS, metric)
    ours.error_x = {
        "array": [interval[1] - value],
        "arrayminus": [value - interval[0]],
        "color": REST,
        "thickness": 1.5,
    }
    ordered = sorted(baselines, key=lambda baseline: -baseline.value)
    names = [_plain(method(baseline.name)) for baseline in ordered]
    others = _share_bar(names, [baseline.value for baseline in ordered], REST, metric)
    height = _rows_high(len(baselines) + 1, 36)
    figure = _figure(title, ours, others, x=f"{METRIC_NAMES[metric]} on the test split", y="", height=height)
    # A coefficient may be far below nothing; how far is in its label.
    lowest = min(0.0, value, best.value)
    figure.update_xaxes(tickformat=_ticks(metric), range=[max(-1.0, lowest), 1.01], tickvals=_QUARTERS)
    if metric == "token_likelihood":
        # Far from 1 even for good answers, of which there are many.
        figure.update_xaxes(range=[0, 1.1 * max(interval[1], best.value)], tickvals=None)
    return figure.update_yaxes(autorange="reversed")


def _share_bar(names: list[str], values: list[float], colour: str, metric: str = "accuracy") -> go.Bar:
    form = ".1%" if metric in SHARES else ".2f"
    return go.Bar(
        x=values,
        y=names,
        orientation="h",
        marker_color=colour,
        texttemplate=f"%{{x:{form}}}",
        textposition="auto",
        insidetextanchor="start",
        textangle=0,
        constraintext="none",
        hovertemplate=f"%{{y}}<br>%{{x:{form}}}<extra></extra>",
    )


def confusion(matrix: Confusion) -> go.Figure:
    """Which label is taken for which, by share of the true label's rows; mistakes have their own colour."""
    labels = [_plain(label) for label in matrix.labels]
    totals = [sum(row) for row in matrix.counts]
    wrong = sum(totals) - sum(row[place] for place, row in enumerate(matrix.counts))
    told = [
        [f"{count:,} of {total:,}" if count else "" for count in row]
        for row, total in zip(matrix.counts, totals, strict=True)
    ]

    def cells(colour: str, *, diagonal: bool) -> go.Heatmap:
        return go.Heatmap(
            # The root makes one mistake in forty visible beside thirty-nine right answers.
            z=[
                [
                    sqrt(count / total) if count and (row == column) == diagonal else None
                    for column, count in enumerate(counts)
                ]
                for row, (counts, total) in enumerate(zip(matrix.counts, totals, strict=True))
            ],
            x=labels,
            y=labels,
            zmin=0,
            zmax=1,
            colorscale=[[0, _faint(colour)], [1, colour]],
            showscale=False,
            hoverongaps=False,
            text=told,
            hovertemplate="Truth: %{y}<br>Predicted: %{x}<br>%{text} rows<extra></extra>",
            xgap=1 if len(labels) <= _MOST_NAMED else 0,
            ygap=1 if len(labels) <= _MOST_NAMED else 0,
        )

    title = f"{wrong:,} of {sum(totals):,} test rows got the wrong label"
    named = len(labels) <= _MOST_NAMED
    filled = [
        (row, column)
        for row, counts in enumerate(matrix.counts)
        for column, count in enumerate(counts)
        if count
    ]
    # Cells of a heat map cannot be pressed; an invisible point on each that holds rows can.
    handles = go.Scatter(
        x=[labels[column] for _, column in filled],
        y=[labels[row] for row, _ in filled],
        mode="markers",
        marker={"size": 18 if named else 9, "symbol": "square", "opacity": 0},
        customdata=[(matrix.labels[row], matrix.labels[column]) for row, column in filled],
        text=[told[row][column] for row, column in filled],
        hovertemplate="Truth: %{y}<br>Predicted: %{x}<br>%{text} rows<extra></extra>",
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
    )
    figure = _figure(
        title,
        cells(OURS, diagonal=True),
        cells(WRONG, diagonal=False),
        handles,
        x="Predicted label",
        y="True label",
        height=max(300, 110 + _ROW_HEIGHT * len(labels)) if named else 620,
    )
    figure.update_xaxes(showticklabels=named, ticks="", showgrid=False)
    return figure.update_yaxes(showticklabels=named, ticks="", showgrid=False, autorange="reversed")


def labels_given(
    probabilities: Mapping[str, float], thresholds: Mapping[str, float], *, top: int = 8
) -> go.Figure:
    """How near each label is to its threshold, which a line marks; the labels that are given are coloured."""
    ordered = sorted(probabilities, key=lambda label: (-probabilities[label] / thresholds[label], label))
    given = [label for label in ordered if probabilities[label] >= thresholds[label]]
    shown = ordered[: max(top, len(given))]
    names = [_plain(label) for label in shown]
    bars = go.Bar(
        x=[probabilities[label] for label in shown],
        y=names,
        orientation="h",
        marker_color=[OURS if label in given else REST for label in shown],
        texttemplate="%{x:.1%}",
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}<br>%{x:.2%}<extra></extra>",
    )
    marks = go.Scatter(
        x=[thresholds[label] for label in shown],
        y=names,
        mode="markers",
        marker={"symbol": "line-ns-open", "size": 18, "color": WRONG, "line": {"width": 2}},
        hovertemplate="%{y}<br>given from %{x:.2%} on<extra></extra>",
    )
    number = len(given)
    title = f"{number or 'No'} label{'' if number == 1 else 's'} of {len(ordered)}"
    figure = _figure(
        title, bars, marks, x="Probability, and the threshold", y="", height=_rows_high(len(shown))
    )
    figure.update_xaxes(tickformat=".0%", range=[0, 1.08], tickvals=_QUARTERS)
    return figure.update_yaxes(autorange="reversed")


def scores(probabilities: Mapping[str, float], *, top: int = 5) -> go.Figure:
    """The most likely labels of a text, and all others together."""
    ordered = sorted(probabilities.items(), key=lambda item: (-item[1], item[0]))
    shown, others = ordered[:top], ordered[top:]
    names = [_plain(label) for label, _ in shown]
    values = [value for _, value in shown]
    if others:
        names.append(f"{len(others)} other labels" if len(others) > 1 else _plain(others[0][0]))
        values.append(sum(value for _, value in others))
    bars = go.Bar(
        x=values,
        y=names,
        orientation="h",
        marker_color=[OURS, *(REST for _ in values[1:])],
        texttemplate="%{x:.1%}",
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}<br>%{x:.2%}<extra></extra>",
    )
    title = f"“{ordered[0][0]}” with {percent(ordered[0][1])}"
    figure = _figure(title, bars, x="Probability", y="", height=_rows_high(len(values)))
    figure.update_xaxes(tickformat=".0%", range=[0, 1.08], tickvals=_QUARTERS)
    return figure.update_yaxes(autorange="reversed")


def _rows_high(rows: int, row_height: int = _ROW_HEIGHT) -> int:
    # The axis and its title take about 70 pixels.
    return 70 + row_height * rows


def _faint(colour: str, opacity: float = 0.05) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _plain(text: str) -> str:
    # Plotly reads a little HTML in every text, and takes long names for their own line.
    short = text if len(text) <= 40 else f"{text[:38]}…"
    return html.escape(short, quote=False)
