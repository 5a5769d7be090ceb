"""Figures of a run: the performance profiles of a suite, the curves of a sweep, or else the step times.

Altair writes them, as SVG, PNG or a page that needs no network; it is asked for by the extra `bakeoff[figures]`.
"""

from __future__ import annotations

import re
import textwrap
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ..common.errors import InputError
from ..common.extras import describe_install
from ..measures.speed import sweep
from .report import Report
from .text import count_things

if TYPE_CHECKING:
    import altair as alt

SUFFIXES = (".svg", ".png", ".html")
COLOURS = ("#1f6feb", "#c2410c", "#15803d", "#7e22ce", "#a16207", "#0e7490", "#be123c", "#4d7c0f", "#475569", "#9d174d")
"""One a backend: dark enough for print."""
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
"""One a variant of a backend, the plainest unbroken."""
TITLES = {"batch_size": "batch size", "width": "width of every hidden layer"}


PROFILES = "Performance profiles"


def draw(report: Report, path: Path) -> None:
    """Write the figure of a run to `path`. Raises InputError for another kind of file, and where Altair is missing."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: expected a file that ends in {', '.join(SUFFIXES)}.")
    require_altair()
    curves = _select_curves(report)
    chart: Any
    if report.suite_results:
        chart = describe(profile_chart(report.profile_curves()), report, PROFILES)
    else:
        chart = sweep_chart(curves, sweep.lines(curves)) if len(curves) else step_chart(report.summary())
        chart = describe(chart, report)
    # A white ground: a figure is printed, and looked at in a dark window.
    chart = chart.configure(background="white").configure_view(stroke=None).configure_axis(gridColor="#e5e7eb")
    html = path.suffix.lower() == ".html"
    how: dict[str, Any] = {"inline": True, "embed_options": {"renderer": "svg"}} if html else {"scale_factor": 2}
    try:
        chart.save(path, **how)
        if path.suffix.lower() != ".png":
            text = path.read_text(encoding="utf-8")
            path.write_text(_fit_page(text) if html else _fit_place(text), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}. Choose another place.") from None


def require_altair() -> None:
    """Raise InputError where the libraries that draw are not installed: they are an extra."""
    try:
        import altair  # noqa: F401, PLC0415  # an extra, and a second to import
        import vl_convert  # noqa: F401, PLC0415  # as above: Altair asks for it when it writes
    except ImportError as error:
        raise InputError(f"A figure needs {error.name}. {describe_install('figures')}.") from None


def draw_sweep(report: Report) -> alt.HConcatChart:
    """Return the curves of a sweep. Raises InputError where the run has none."""
    curves = _select_curves(report)
    if not len(curves):
        raise InputError(f"{report.folder}: no sweep to draw in this run (docs/how-to/measure-several-sizes.md).")
    return sweep_chart(curves, sweep.lines(curves))


def _select_curves(report: Report) -> pd.DataFrame:
    times = report.sweep_times
    return times[times["axis"].isin(sweep.FITTED)] if len(times) else times


def describe(chart: Any, report: Report, heading: str = "Time of a training step") -> Any:
    """Return the chart with a title that names machine, data and date, under the warnings of the run."""
    import altair as alt  # noqa: PLC0415  # an extra: whoever only reads tables has none

    header = report.header
    machine, plan, training = header["machine"], header["plan"], header["spec"]["training"]
    subtitle = [
        f"{machine['processor']}, {count_things(plan['threads'], 'thread')}, {plan['device']}; "
        f"measured {header['created'][:10]}",
        f"data {header['data']['name']}; spec {header['spec_hash']}, batch {training['batch_size']}, "
        f"{training['dtype']}",
    ]
    if report.suite_results:
        subtitle[1] = f"workloads: {', '.join(report.suite_results.names)}"
    doubts = [wrapped for line in report.warnings() for wrapped in textwrap.wrap(line, 90)]
    title = alt.TitleParams(
        doubts or heading,
        color="#be123c" if doubts else "#111827",
        subtitle=subtitle,
        subtitleColor="#4b5563",
        anchor="start",
    )
    return chart.properties(title=title)


def _fit_place(svg: str) -> str:
    """Return the drawing without a size of its own: it takes the width of the place it is shown in."""
    return re.sub(r'(<svg\b[^>]*?) width="[\d.]+" height="[\d.]+"', r"\1", svg, count=1)


def _fit_page(page: str) -> str:
    """Return the page with a figure that shrinks to the width of a small screen."""
    style = "<style>.vega-embed{width:100%}.vega-embed svg{max-width:100%;height:auto}</style>"
    viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    return page.replace("</head>", f"{viewport}{style}</head>", 1)


def sweep_chart(curves: pd.DataFrame, lines: pd.DataFrame) -> alt.HConcatChart:
    """Return a panel an axis: seconds a step by batch size or width, with the crossing of each variant that has one.

    `curves` and `lines` are those of bakeoff.measures.speed.sweep.
    """
    import altair as alt  # noqa: PLC0415  # an extra: whoever only reads tables has none

    style = _style(list(dict.fromkeys(curves["backend"])))
    panels = []
    sized = curves.drop(columns="blocks").assign(size=pd.to_numeric(curves["point"]))
    for axis, mine in sized.groupby("axis", sort=False):
        sizes = sorted(mine["size"].unique().tolist())
        x = alt.X("size:Q", title=TITLES[str(axis)])
        x = x.scale(type="log", nice=False, padding=12).axis(format="~s", values=sizes)
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


def profile_chart(curves: pd.DataFrame) -> alt.Chart:
    """Return the share of workloads on which a variant is within a factor of the fastest: a line of steps each.

    `curves` has the corners of the steps: backend, factor, share.
    """
    import altair as alt  # noqa: PLC0415  # an extra: whoever only reads tables has none

    factor = alt.X("factor:Q", title="times the step time of the workload's fastest variant (logarithmic)")
    share = alt.Y("share:Q", title="share of workloads").axis(format="%").scale(domain=[0, 1])
    chart: alt.Chart = (
        alt.Chart(curves)
        .mark_line(interpolate="step-after", strokeWidth=2)
        .encode(x=factor.scale(type="log", nice=False), y=share, **_style(list(dict.fromkeys(curves["backend"]))))
    )
    return chart.properties(width=520, height=320)


def learning_chart(training: pd.DataFrame) -> alt.Chart:
    """Return the validation accuracy by epoch, a line a variant; `training` has a row for each epoch."""
    import altair as alt  # noqa: PLC0415  # an extra: whoever only reads tables has none

    known = training[training["validation_accuracy"].notna()]
    if not len(known):
        raise InputError("No epoch was trained in this run: there is nothing to draw.")
    known = known.assign(backend=known["backend"] + ":" + known["variant"])
    style = _style(list(dict.fromkeys(known["backend"])))
    accuracy = alt.Y("validation_accuracy:Q", title="validation accuracy").axis(format="%").scale(zero=False)
    chart: alt.Chart = alt.Chart(known).mark_line().encode(x=alt.X("epoch:Q"), y=accuracy, **style)
    return chart.properties(width=520)


def _crossings(lines: pd.DataFrame, axis: str, mine: pd.DataFrame) -> pd.DataFrame:
    """Return where the overhead ends on this axis, for the variants whose crossing lies between their points."""
    if not len(lines):
        return pd.DataFrame({"operations": [], "size": [], "step_s": [], "backend": []})
    least, most = mine["operations"].min(), mine["operations"].max()
    found = lines[lines["axis"].eq(axis) & lines["crossing"].between(least, most)]
    known = mine.drop_duplicates("operations").sort_values("operations")
    # A line between two points on logarithmic axes: where it has these operations, it has this size.
    sizes = np.exp(np.interp(np.log(found["crossing"]), np.log(known["operations"]), np.log(known["size"])))
    step_s = 2 * found["overhead_s"]
    return pd.DataFrame({"operations": found["crossing"], "size": sizes, "step_s": step_s, "backend": found["backend"]})


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
