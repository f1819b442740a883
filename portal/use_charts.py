"""The charts of use and money: what a month came to, by whom, and what it leaves.

The template of all figures is that of `portal.charts`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import accumulate

from plotly import graph_objects as go

from portal.charts import (
    BLUE,
    GRAY,
    GREEN,
    ORANGE,
    OURS,
    REST,
    TEAL,
    VIOLET,
    _faint,
    _figure,
    _plain,
    _rows_high,
)
from portal.format import money, money_range, percent
from services.billing.money import MICROS, MINOR_DIGITS
from services.metering.meters import (
    GENERATED_TOKENS,
    METERS,
    PREDICTIONS,
    STORED_GB_HOURS,
    TRAINED_TOKENS,
    TRAINING_SECONDS,
)

# Meters by their names, and prices by the titles that invoices give them.
USE_COLOURS = {
    PREDICTIONS.name: BLUE,
    TRAINING_SECONDS.name: TEAL,
    TRAINED_TOKENS.name: VIOLET,
    STORED_GB_HOURS.name: GRAY,
    GENERATED_TOKENS.name: ORANGE,
    "Predictions": BLUE,
    "Generated tokens": ORANGE,
    "Training on CPU": TEAL,
    "Training on GPU": GREEN,
}


def by_day(days: Sequence[date], parts: Mapping[str, Sequence[float]], *, unit: str) -> go.Figure:
    """A quantity of each day, stacked by part; meters and prices keep their colours.

    unit: that of a meter, or a currency, whose quantities are in major units.
    """
    totals = [sum(values[place] for values in parts.values()) for place in range(len(days))]
    peak = max(range(len(days)), key=lambda place: totals[place])
    title = f"Most on {days[peak]:%-d %B}: {_quantity(totals[peak], unit)}"
    palette = (BLUE, TEAL, VIOLET, GREEN, ORANGE, GRAY)

    def hover(values: Sequence[float]) -> str:
        return (
            f"%{{x|%-d %B}}<br>%{{fullData.name}}: %{{y:,.{_decimals(max(values))}f}} {unit}<extra></extra>"
        )

    bars = [
        go.Bar(
            x=days,
            y=values,
            name=_plain(METERS[part].title if part in METERS else part),
            marker_color=USE_COLOURS.get(part, palette[place % len(palette)]),
            hovertemplate=hover(values),
        )
        for place, (part, values) in enumerate(parts.items())
    ]
    figure = _figure(title, *bars, x="", y=unit.capitalize() if unit.islower() else unit, height=300)
    figure.update_layout(barmode="stack", showlegend=len(bars) > 1)
    return figure.update_xaxes(tickformat="%-d %b", range=[days[0], days[-1]], autorange=True)


def margins(
    names: Sequence[str], costs: Sequence[float], left: Sequence[float], *, currency: str
) -> go.Figure:
    """What the devices of each workspace cost, and what is left of its revenue, in major units."""
    names = [_plain(name) for name in names]
    losing = sum(1 for amount in left if amount < 0)
    title = "Every workspace pays for its devices" if not losing else f"{losing} cost more than they pay"
    bars = [
        go.Bar(x=list(values), y=names, orientation="h", name=name, marker_color=colour)
        for name, values, colour in (("Device cost", costs, REST), ("Margin", left, OURS))
    ]
    figure = _figure(title, *bars, x=f"{currency} before tax", y="", height=_rows_high(len(names)) + 40)
    figure.update_layout(barmode="relative", showlegend=True)
    return figure.update_yaxes(autorange="reversed")


def spend_to_date(
    days: Sequence[date],
    this_month: Sequence[float],
    last_month: Sequence[float],
    *,
    currency: str,
    end: tuple[float, float, float] | None = None,
    budget: float | None = None,
) -> go.Figure:
    """Spend of a month added up day by day, beside the month before, with its likely end and the budget.

    `days` are all of the month and `this_month` those that have begun; `end` is low, likely and high.
    """
    reached, before = list(accumulate(this_month)), list(accumulate(last_month[: len(days)]))
    names = {
        "mode": "lines",
        "hovertemplate": "%{x|%-d %B}<br>%{fullData.name}: %{y:,.2f} " + currency + "<extra></extra>",
    }
    lines = [
        go.Scatter(
            x=days[: len(before)], y=before, name="Month before", line={"color": REST, "width": 1.5}, **names
        ),
        go.Scatter(
            x=days[: len(reached)], y=reached, name="This month", line={"color": BLUE, "width": 2.5}, **names
        ),
    ]
    title = f"{_quantity(reached[-1] if reached else 0, currency)} so far"
    if end is not None and len(reached) < len(days):
        low, likely, high = end
        ahead = [days[len(reached) - 1], days[-1]]
        lines += [
            go.Scatter(
                x=ahead,
                y=[reached[-1], high],
                mode="lines",
                line={"width": 0},
                showlegend=False,
                hoverinfo="skip",
            ),
            go.Scatter(
                x=ahead,
                y=[reached[-1], low],
                mode="lines",
                fill="tonexty",
                fillcolor=_faint(BLUE, 0.14),
                line={"width": 0},
                name="Eight months in ten",
                hoverinfo="skip",
            ),
            go.Scatter(
                x=ahead,
                y=[reached[-1], likely],
                name="Forecast",
                line={"color": BLUE, "dash": "dot"},
                **names,
            ),
        ]
        title = f"This month comes to about {_quantity(likely, currency)}"
        range_of = money_range(_micros(low), _micros(high), currency)
        title += f" ({range_of})" if high - low >= 0.01 else ""
    figure = _figure(title, *lines, x="", y=currency, height=280)
    if budget is not None:
        figure.add_hline(
            y=budget,
            line={"color": ORANGE, "dash": "dash", "width": 1.5},
            annotation_text=f"Budget {_quantity(budget, currency)}",
            annotation_position="top left",
        )
    figure.update_layout(showlegend=True)
    figure.update_yaxes(rangemode="tozero", tickformat=",")
    return figure.update_xaxes(tickformat="%-d %b", range=[days[0], days[-1]])


def busy_hours(hours: Sequence[tuple[datetime, float | None]], overall: float) -> go.Figure:
    """The share of workers' time with a job, from 0 to 1, for each hour; None where no worker was alive."""
    bars = go.Bar(
        x=[hour for hour, _ in hours],
        y=[share for _, share in hours],
        marker_color=TEAL,
        hovertemplate="%{x|%H:%M}<br>%{y:.0%} of workers’ time<extra></extra>",
    )
    title = f"Workers had a job {percent(overall, 0)} of the time"
    figure = _figure(title, bars, x="Last 24 hours (UTC)", y="Share of time", height=260)
    figure.update_xaxes(tickformat="%H:%M")
    return figure.update_yaxes(tickformat=".0%", range=[0, 1.02])


def _quantity(value: float, unit: str) -> str:
    return money(_micros(value), unit) if unit in MINOR_DIGITS else f"{value:,.{_decimals(value)}f} {unit}"


def _micros(value: float) -> int:
    return round(value * MICROS)


def _decimals(largest: float) -> int:
    return 0 if largest >= 100 or largest == int(largest) else 2 if largest >= 0.01 else 4
