"""Figures of a run: the curves of a sweep, and the step times where there was none.

Altair writes them, as SVG, PNG or a page that needs no network; it is asked for by the extra `bakeoff[figures]`.
"""

from __future__ import annotations

import textwrap
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..common.errors import InputError
from ..measures.speed import sweep
from .report import Report

if TYPE_CHECKING:
    import altair as alt

SUFFIXES = (".svg", ".png", ".html")
COLOURS = ("#1f6feb", "#c2410c", "#15803d", "#7e22ce", "#a16207", "#0e7490", "#be123c", "#4d7c0f", "#475569", "#9d174d")
"""One a backend: dark enough for print."""
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
"""One a variant of a backend, the plainest unbroken."""
TITLES = {"batch_size": "batch size", "width": "width of every hidden layer"}


def draw(report: Report, path: Path) -> None:
    """Write the figure of a run to `path`. Raises InputError for another kind of file, and where Altair is missing."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: expected a file that ends in {', '.join(SUFFIXES)}.")
    try:
        import altair as alt  # noqa: PLC0415  # an extra, and a second to import
        import vl_convert  # noqa: F401, PLC0415  # as above: Altair asks for it when it writes
    except ImportError as error:
        raise InputError(f"A figure needs {error.name}: pip install 'bakeoff[figures]'.") from None
    times = report.sweep_times
    curves = times[times["axis"].isin(sweep.FITTED)] if len(times) else times
    chart: Any = sweep_chart(curves, sweep.lines(curves)) if len(curves) else step_chart(report.summary())
    doubts = report.warnings()
    if doubts:
        title = alt.TitleParams([wrapped for line in doubts for wrapped in textwrap.wrap(line, 90)], color="#be123c")
        chart = chart.properties(title=title)
    # A white ground: a figure is printed, and looked at in a dark window.
    chart = chart.configure(background="white").configure_view(stroke=None).configure_axis(gridColor="#e5e7eb")
    how: dict[str, Any] = {"inline": True} if path.suffix.lower() == ".html" else {"scale_factor": 2}
    try:
        chart.save(path, **how)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}. Choose another place.") from None


def sweep_chart(curves: pd.DataFrame, lines: pd.DataFrame) -> alt.HConcatChart:
    """Return a panel an axis: seconds a step over operations a step, with the crossing of each variant that has one.

    `curves` and `lines` are those of bakeoff.measures.speed.sweep.
    """
    import altair as alt  # noqa: PLC0415  # an extra: whoever only reads tables has none

    style = _style(list(dict.fromkeys(curves["backend"])))
    panels = []
    for axis, mine in curves.drop(columns="blocks").groupby("axis", sort=False):
        x = alt.X("operations:Q", title="operations of a step's matrix products")
        x = x.scale(type="log", nice=False, padding=12).axis(format="~s")
        base = alt.Chart(mine).encode(x=x, **style)
        curve = base.mark_line(point=alt.OverlayMarkDef(size=24)).encode(y=_seconds(alt.Y, "step_s:Q"))
        interval = (
            alt.Chart(mine)
            .mark_rule(strokeWidth=2)
            .encode(x=x, y=_seconds(alt.Y, "step_s_low:Q"), y2="step_s_high:Q", color=style["color"])
        )
        crossing = (
            alt.Chart(_crossings(lines, str(axis), mine))
            .mark_point(shape="diamond", size=90, filled=False, strokeWidth=2, opacity=1)
            .encode(x=x, y=_seconds(alt.Y, "step_s:Q"), color=style["color"])
        )
        title = f"{TITLES[str(axis)]}: {', '.join(dict.fromkeys(mine['point']))}"
        panels.append(alt.layer(curve, interval, crossing, title=title).properties(width=380, height=320))
    return alt.hconcat(*panels)


def step_chart(summary: pd.DataFrame) -> alt.LayerChart | alt.FacetChart:
    """Return a row a variant that was timed: seconds a step with its interval, the quickest first."""
    import altair as alt  # noqa: PLC0415  # an extra: whoever only reads tables has none

    timed = summary[summary["step_s"].notna()]
    if not len(timed):
        raise InputError("No step was timed in this run: there is nothing to draw.")
    timed = timed.assign(backend=timed["backend"] + ":" + timed["variant"])
    order = list(timed.sort_values("step_s")["backend"])
    base = alt.Chart(timed).encode(
        y=alt.Y("backend:N", sort=order, title=None), color=_style(list(timed["backend"]))["color"].legend(None)
    )
    point = base.mark_point(filled=True, size=60, opacity=1).encode(x=_seconds(alt.X, "step_s:Q"))
    interval = base.mark_rule(strokeWidth=2).encode(x=_seconds(alt.X, "step_s_low:Q"), x2="step_s_high:Q")
    return alt.layer(interval, point).properties(width=520, height=24 * len(timed))


def _crossings(lines: pd.DataFrame, axis: str, mine: pd.DataFrame) -> pd.DataFrame:
    """Return where the overhead ends on this axis, for the variants whose crossing lies between their points."""
    if not len(lines):
        return pd.DataFrame({"operations": [], "step_s": [], "backend": []})
    least, most = mine["operations"].min(), mine["operations"].max()
    found = lines[lines["axis"].eq(axis) & lines["crossing"].between(least, most)]
    return pd.DataFrame(
        {"operations": found["crossing"], "step_s": 2 * found["overhead_s"], "backend": found["backend"]}
    )


def _seconds(channel: Any, field: str) -> Any:
    """Return the axis of step times: logarithmic, labelled as 200µs."""
    words = "datum.label && datum.label + 's'"  # an empty label is one that has no room
    return (
        channel(field, title="time of a step")
        .scale(type="log", nice=False, padding=12)
        .axis(format="~s", labelExpr=words, labelSeparation=8)
    )


def _style(names: list[str]) -> dict[str, Any]:
    """Return a colour a backend and a dash a variant, in one legend."""
    import altair as alt  # noqa: PLC0415  # an extra: whoever only reads tables has none

    of_backend: dict[str, list[str]] = {}
    for name in names:
        of_backend.setdefault(name.partition(":")[0], []).append(name)
    colours: dict[str, str] = {}
    dashes: dict[str, list[int]] = {}
    for colour, variants in zip(cycle(COLOURS), of_backend.values(), strict=False):
        colours.update(dict.fromkeys(variants, colour))
        dashes.update(zip(variants, cycle(DASHES), strict=False))
    field = "backend:N"
    stroke = alt.Legend(title=None, symbolType="stroke", symbolSize=400, symbolStrokeWidth=2)
    return {
        "color": alt.Color(field, legend=stroke).scale(domain=names, range=[colours[name] for name in names]),
        "strokeDash": alt.StrokeDash(field, legend=stroke).scale(domain=names, range=[dashes[name] for name in names]),
    }
