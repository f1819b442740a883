"""The charts of a report beyond its scores: confidence, what a threshold buys, what more rows would bring."""

from collections.abc import Mapping, Sequence
from statistics import median

from plotly import graph_objects as go

from portal.charts import GRAY, OURS, REST, TEAL, WRONG, _figure
from portal.format import percent
from portal.verdict import METRIC_NAMES, SHARES, difference
from services.training.reporting.abstention import Outcome
from services.training.reporting.entity_errors import ErrorKind
from services.training.reporting.report import Bin, Calibration, Difference, LearningCurve
from services.training.reporting.significance import SURE

_ERROR_WORDS = {
    ErrorKind.boundary: "Other words, right type",
    ErrorKind.type: "Right words, other type",
    ErrorKind.both: "Other words, other type",
    ErrorKind.missed: "Missed",
    ErrorKind.extra: "Extra",
}


def reliability(told: Calibration) -> go.Figure:
    """How often answers of each confidence are right, before and after the temperature."""
    perfect = go.Scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": GRAY, "width": 1, "dash": "dot"},
        hoverinfo="skip",
        name="As sure as right",
    )
    figure = _figure(
        f"Confidence is {told.error * 100:.1f} points off on average, before {told.error_before * 100:.1f}",
        perfect,
        _bins(told.before, "Before", GRAY, "circle-open"),
        _bins(told.after, "After the temperature", OURS, "circle"),
        x="Confidence of the answer",
        y="Share that is right",
        height=360,
    )
    figure.update_layout(showlegend=True)
    figure.update_xaxes(tickformat=".0%", range=[0, 1.02])
    return figure.update_yaxes(tickformat=".0%", range=[0, 1.04])


def _bins(bins: Sequence[Bin], name: str, colour: str, symbol: str) -> go.Scatter:
    most = max((one.count for one in bins), default=1)
    return go.Scatter(
        x=[one.confidence for one in bins],
        y=[one.accuracy for one in bins],
        mode="lines+markers",
        name=name,
        line={"color": colour, "width": 1.5},
        # The area tells how many answers stand behind a point.
        marker={"size": [6 + 16 * (one.count / most) ** 0.5 for one in bins], "symbol": symbol},
        customdata=[one.count for one in bins],
        hovertemplate=(
            f"{name}<br>%{{x:.1%}} sure, %{{y:.1%}} right<br>%{{customdata:,}} answers<extra></extra>"
        ),
    )


def coverage(
    curves: Mapping[str, Sequence[Outcome]], chosen: Outcome | None, *, unit: str, right: str
) -> go.Figure:
    """What share of the answers is right, by the share that is given; `chosen` on the test split."""
    colours = {"Validation": GRAY, "Test": OURS}
    lines = [
        go.Scatter(
            x=[one.coverage for one in points],
            y=[one.accuracy for one in points],
            mode="lines",
            name=name,
            line={"color": colours[name], "width": 2},
            customdata=[one.threshold for one in points],
            hovertemplate=(
                f"{name}, from %{{customdata:.2f}} on<br>%{{x:.1%}} of {unit} answered<br>"
                "%{y:.1%} of these right<extra></extra>"
            ),
        )
        for name, points in curves.items()
    ]
    if chosen and chosen.accuracy is not None:
        title = (
            f"From {chosen.threshold:.2f} on, {percent(chosen.coverage, 0)} of {unit} are answered "
            f"and {percent(chosen.accuracy)} of these are right"
        )
        point = go.Scatter(
            x=[chosen.coverage],
            y=[chosen.accuracy],
            mode="markers",
            name="Your choice",
            marker={"color": WRONG, "size": 13, "line": {"color": "white", "width": 2}},
            hoverinfo="skip",
        )
        lines.append(point)
    else:
        title = f"With this threshold none of {unit} are answered"
    figure = _figure(title, *lines, x=f"Share of {unit} answered", y=right, height=340)
    figure.update_layout(showlegend=True)
    figure.update_xaxes(tickformat=".0%", range=[0, 1.02])
    return figure.update_yaxes(tickformat=".0%")


def learning_curve(curve: LearningCurve, metric: str) -> go.Figure:
    """The metric by training rows, and where it would likely go with as many rows again."""
    points, more = curve.points, curve.forecasts[-1]
    last, name = points[-1], METRIC_NAMES[metric]
    written = ".0%" if metric in SHARES else ".2f"
    hover = f"%{{x:,}} rows<br>%{{y:{'.1%' if metric in SHARES else '.3f'}}}<extra></extra>"
    ahead = last.rows + more.more
    low, high = (last.value + gain for gain in more.interval)
    measured = go.Scatter(
        x=[point.rows for point in points],
        y=[point.value for point in points],
        mode="lines+markers",
        name="Measured",
        line={"color": OURS, "width": 2},
        marker={"size": 8},
        hovertemplate=hover,
    )
    likely = go.Scatter(
        x=[last.rows, ahead],
        y=[last.value, last.value + more.gain],
        mode="lines",
        name="Likely",
        line={"color": TEAL, "width": 2, "dash": "dash"},
        hovertemplate=hover,
    )
    fan = go.Scatter(
        x=[last.rows, ahead, ahead],
        y=[last.value, high, low],
        fill="toself",
        mode="lines",
        line={"width": 0},
        fillcolor="rgba(12,133,153,0.18)",
        name="95 % range",
        hoverinfo="skip",
    )
    title = f"As many rows again would likely bring {difference(metric, more.gain)}"
    figure = _figure(
        title, fan, measured, likely, x="Training rows", y=f"{name} on the test split", height=340
    )
    figure.update_layout(showlegend=True)
    figure.update_xaxes(type="log", tickvals=[*(p.rows for p in points), ahead], tickformat=",")
    return figure.update_yaxes(tickformat=written)


def entity_errors(counts: Mapping[ErrorKind, int]) -> go.Figure:
    """Mistakes with entities by kind, most frequent first."""
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    total = sum(counts.values())
    kind, most = ordered[0]
    bars = go.Bar(
        x=[count for _, count in ordered],
        y=[_ERROR_WORDS[kind] for kind, _ in ordered],
        orientation="h",
        marker_color=[WRONG, *(REST for _ in ordered[1:])],
        texttemplate="%{x:,}",
        hovertemplate="%{y}<br>%{x:,} entities<extra></extra>",
    )
    title = f"{most:,} of {total:,} mistakes: {_ERROR_WORDS[kind].lower()}"
    figure = _figure(title, bars, x="Entities", y="", height=70 + 32 * len(ordered))
    return figure.update_yaxes(autorange="reversed")


def predicted_scores(pairs: Sequence[tuple[float, float]], rows: Sequence[int]) -> go.Figure:
    """Each answer of a split beside the truth: (true, predicted), and the numbers of the rows."""
    true, predicted = [one for one, _ in pairs], [one for _, one in pairs]
    ends = [min(true + predicted), max(true + predicted)]
    off = median(abs(one - two) for one, two in pairs)
    perfect = go.Scatter(
        x=ends,
        y=ends,
        mode="lines",
        line={"color": GRAY, "width": 1, "dash": "dot"},
        hoverinfo="skip",
    )
    points = go.Scatter(
        x=true,
        y=predicted,
        mode="markers",
        marker={"color": OURS, "size": 7, "opacity": 0.55},
        customdata=list(rows),
        hovertemplate="Row %{customdata:,}<br>%{x:.3~g} in the data<br>%{y:.3~g} predicted<extra></extra>",
    )
    title = f"Half of the answers are within {off:.2g} of the truth"
    return _figure(title, perfect, points, x="Score in the data", y="Score predicted", height=380)


def error_words(kind: ErrorKind) -> str:
    """What people call a kind of mistake."""
    return _ERROR_WORDS[kind]


def differences(first: str, others: Sequence[str], apart: Sequence[Difference]) -> go.Figure:
    """How much better the first version is than each of the others, with its 95 % range."""
    values = [one.value * 100 for one in apart]
    sure = [one.p_value < SURE for one in apart]
    points = go.Scatter(
        x=values,
        y=[f"against {other.lower()}" for other in others],
        mode="markers",
        marker={"size": 12, "color": [OURS if one else GRAY for one in sure]},
        error_x={
            "type": "data",
            "array": [one.interval[1] * 100 - value for one, value in zip(apart, values, strict=True)],
            "arrayminus": [value - one.interval[0] * 100 for one, value in zip(apart, values, strict=True)],
            "color": GRAY,
            "thickness": 1.5,
        },
        hovertemplate="%{y}<br>%{x:+.1f} points<extra></extra>",
    )
    beyond = sum(sure)
    title = f"{beyond} of {len(sure)} differences {'is' if beyond == 1 else 'are'} more than chance"
    if len(sure) == 1:
        title = "The difference is more than chance" if beyond else "The difference may be chance"
    figure = _figure(
        title, points, x=f"Points that {first.lower()} is better", y="", height=90 + 40 * len(others)
    )
    return figure.update_xaxes(rangemode="tozero", zeroline=True, zerolinewidth=2, zerolinecolor=GRAY)
