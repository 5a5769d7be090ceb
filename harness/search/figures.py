"""Figures of a search: accuracy against trials, coverage, importance, parallel coordinates, and the price of a search.

Altair writes them as SVG: the extra `bakeoff[figures]`.
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from ..common.errors import InputError
from ..common.extras import describe_install
from . import results
from .ledger import Ledger
from .space import SearchFile

BLUE, RED = "#1f6feb", "#c2410c"


def write(ledger: Ledger, importances: dict[str, float]) -> list[Path]:
    """Write the figures into `figures/` in the folder of the search. Raises InputError where Altair is missing."""
    import_altair()
    folder = ledger.folder / "figures"
    folder.mkdir(exist_ok=True)
    written = []
    for name, chart in draw(ledger, importances).items():
        path = folder / f"{name}.svg"
        save(chart, path)
        written.append(path)
    return written


def draw(ledger: Ledger, importances: dict[str, float]) -> dict[str, Any]:
    """Return the charts by name: those that there is anything to draw for."""
    found, file = results.trials(ledger), ledger.plan.file
    charts: dict[str, Any] = {}
    if len(found):
        charts["accuracy"] = accuracy_chart(found)
        charts["price"] = price_chart(results.prices(ledger))
    if len(found) and file.space:
        charts["coverage"] = coverage_chart(found, file)
    if len(found) > 1 and len(file.space) > 1:
        charts["parallel_coordinates"] = parallel_chart(found, file)
    if importances:
        charts["importance"] = importance_chart(importances)
    return charts


def import_altair() -> Any:
    """Return the module. Raises InputError where the extra is not installed."""
    try:
        import altair as alt  # noqa: PLC0415  # an extra, and a second to import
        import vl_convert  # noqa: F401, PLC0415  # as above: Altair asks for it when it writes
    except ImportError as error:
        raise InputError(f"A figure needs {error.name}. {describe_install('figures')}.") from None
    return alt


def save(chart: Any, path: Path) -> None:
    """Write a chart on a white ground, with its legend below: beside it, it would be too wide for a phone.

    Raises InputError where the file cannot be written.
    """
    chart = chart.configure(background="white").configure_view(stroke=None).configure_axis(gridColor="#e5e7eb")
    chart = chart.configure_legend(orient="bottom", columns=2, labelLimit=300)
    try:
        chart.save(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}. Choose another place.") from None


def accuracy_chart(found: pd.DataFrame) -> Any:
    """Return validation accuracy against trials, and the best of the complete ones so far."""
    alt = import_altair()
    base = alt.Chart(found[found["value"].notna()])
    x = alt.X("trial:Q", title="trial")
    y = alt.Y("value:Q", title="validation accuracy", scale=alt.Scale(zero=False), axis=alt.Axis(format="%"))
    points = base.mark_circle(size=40, opacity=0.8).encode(
        x=x, y=y, color=alt.Color("outcome:N", title=None, scale=alt.Scale(scheme="tableau10"))
    )
    line = base.mark_line(interpolate="step-after", color=RED).encode(x=x, y=alt.Y("best_so_far:Q"))
    return alt.layer(line, points).properties(width=420, height=260)


def coverage_chart(found: pd.DataFrame, file: SearchFile) -> Any:
    """Return for each hyperparameter the values that were tried, on its scale: `27 values` or `3 values`."""
    alt = import_altair()
    rows = [
        {
            "hyperparameter": f"{name} ({dimension.scale}): {found[name].nunique()} values in {len(found)} trials",
            "position": position(file, name, value),
            "trial": trial,
        }
        for name, dimension in file.space.items()
        for trial, value in zip(found["trial"], found[name], strict=True)
    ]
    ticks = alt.Chart(pd.DataFrame(rows)).mark_tick(thickness=1.5, size=18, color=BLUE, opacity=0.7)
    return (
        ticks.encode(
            x=alt.X("position:Q", title="position on its scale", scale=alt.Scale(domain=[0, 1])),
            y=alt.Y("hyperparameter:N", title=None, sort=None, axis=alt.Axis(labelLimit=400)),
        )
    ).properties(width=420, height=40 * len(file.space))


def parallel_chart(found: pd.DataFrame, file: SearchFile) -> Any:
    """Return parallel coordinates: a line for each trial through the position of each of its values."""
    alt = import_altair()
    axes = [*file.space, "validation accuracy"]
    able = found[found["value"].notna()]
    low, high = able["value"].min(), able["value"].max()
    rows = []
    for row in able.to_dict("records"):
        places = [position(file, name, row[name]) for name in file.space]
        places.append((row["value"] - low) / (high - low) if high > low else 0.5)
        rows += [
            {"axis": axis, "position": place, "trial": row["trial"], "value": row["value"]}
            for axis, place in zip(axes, places, strict=True)
        ]
    lines = alt.Chart(pd.DataFrame(rows)).mark_line(opacity=0.6)
    return lines.encode(
        x=alt.X("axis:N", title=None, sort=axes, axis=alt.Axis(labelAngle=0, labelLimit=160)),
        y=alt.Y("position:Q", title="position on its scale", scale=alt.Scale(domain=[0, 1])),
        color=alt.Color("value:Q", title="accuracy", scale=alt.Scale(scheme="viridis"), legend=alt.Legend(format="%")),
        detail="trial:N",
    ).properties(width=140 * len(axes), height=260)


def importance_chart(importances: dict[str, float]) -> Any:
    """Return the importance of each hyperparameter by fANOVA."""
    alt = import_altair()
    table = pd.DataFrame({"hyperparameter": list(importances), "importance": list(importances.values())})
    bars = alt.Chart(table).mark_bar(color=BLUE)
    return bars.encode(
        x=alt.X("importance:Q", title="share of the variance (fANOVA)", axis=alt.Axis(format="%")),
        y=alt.Y("hyperparameter:N", title=None, sort="-x", axis=alt.Axis(labelLimit=300)),
    ).properties(width=420, height=30 * len(table))


def price_chart(found: pd.DataFrame) -> Any:
    """Return trials an hour of one worker, by backend."""
    alt = import_altair()
    bars = alt.Chart(found).mark_bar(color=BLUE)
    return bars.encode(
        x=alt.X("trials_per_hour:Q", title="trials an hour of one worker"),
        y=alt.Y("contestant:N", title=None, sort="-x", axis=alt.Axis(labelLimit=300)),
    ).properties(width=420, height=30 * len(found))


def position(file: SearchFile, name: str, value: Any) -> float:
    """Return the position of a value, as a table has it, on the scale of its hyperparameter."""
    dimension = file.space[name]
    if isinstance(value, str) and value not in dimension.values:
        value = json.loads(value)
    return dimension.position_of(value)
