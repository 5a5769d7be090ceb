"""The index of a folder of runs: one page with every result, filters, and trends over versions.

The page needs no network and no other file. What stands in it is text, never markup: a run can be somebody else's.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from packaging.version import InvalidVersion, Version

from ...common.errors import InputError
from ...records import read
from ..report import Report
from ..summary import Standing, VariantSummary, summarise
from ..text import ABSENT, count_things, format_interval, format_or_dash, format_share, format_size, format_time

FILTERS = ("run", "machine", "framework", "version", "spec")
"""What the rows of the page can be filtered by."""
WIDTH, HEIGHT, MARGIN = 160, 32, 4
"""Of the curve of a trend, in pixels."""


class Trend(NamedTuple):
    """The step times of one variant, spec and machine over versions of its framework."""

    variant: str
    machine: str
    spec: str
    versions: tuple[str, ...]
    step_s: tuple[float, ...]

    @property
    def points(self) -> str:
        """The curve for an SVG polyline; the slowest is at the top."""
        low, high = min(self.step_s), max(self.step_s)
        span = high - low or 1.0
        across = (WIDTH - 2 * MARGIN) / (len(self.step_s) - 1)
        return " ".join(
            f"{MARGIN + number * across:.1f},{MARGIN + (HEIGHT - 2 * MARGIN) * (high - each) / span:.1f}"
            for number, each in enumerate(self.step_s)
        )

    @property
    def words(self) -> str:
        """The versions with their step times."""
        pairs = zip(self.versions, self.step_s, strict=True)
        return " -> ".join(f"{version}: {format_time(step)}" for version, step in pairs)


def write_index(folder: Path, file: Path) -> tuple[int, dict[Path, str]]:
    """Write the page of all runs in `folder`; return how many there are, and why others could not be read.

    Raises InputError where there is no run, or the page cannot be written.
    """
    states, unreadable = read.list_runs(folder)
    reports = []
    for state in states:
        try:
            reports.append(Report(state.folder))
        except InputError as error:
            unreadable[state.folder] = str(error)
    if not reports:
        raise InputError(next(iter(unreadable.values()), f"{folder}: no runs here yet. `bakeoff run` makes one."))
    page = render(folder.resolve().name, reports)
    try:
        file.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{file}: cannot be written: {error.strerror}. Choose another place.") from None
    return len(reports), unreadable


def render(title: str, reports: Sequence[Report]) -> str:
    """Return the page of these runs."""
    runs = [_describe_run(report) for report in reports]
    rows = [row for run in runs for row in run["rows"]]
    choices = {key: sorted({str(row[key]) for row in rows}) for key in FILTERS}
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, "."), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return environment.get_template("index.html.jinja").render(
        title=title, runs=runs, count=len(rows), choices=choices, trends=list_trends(rows), size=(WIDTH, HEIGHT)
    )


def _describe_run(report: Report) -> dict[str, Any]:
    """Return a run with a row for each variant, as values and as they are shown."""
    summary, header = summarise(report), report.header
    plan = header["plan"]
    machine = f"{header['machine']['processor']}, {count_things(plan['threads'], 'thread')}, {plan['device']}"
    run = {
        "name": report.folder.resolve().name,
        "created": summary.created,
        "machine": machine,
        "spec": f"{header['spec_hash']} on {header['data']['name']}",
        "warning": " ".join(summary.warnings),
    }
    rows = [
        {
            "run": run["name"],
            "created": run["created"],
            "machine": machine,
            "framework": each.title,
            "version": each.version,
            "spec": run["spec"],
            "variant": each.name,
            "step_s": each.step_s.estimate,
            "step": _write(each, format_interval(each.step_s, format_time)),
            "times_fastest": _write(each, format_interval(each.times_fastest)),
            "standing": each.standing.value if each.standing in (Standing.FASTEST, Standing.TIE) else "",
            "correct": each.correct or "not checked",
            "accuracy": format_or_dash(each.test_accuracy, format_share),
            "memory": format_or_dash(each.peak_memory_bytes, format_size),
        }
        for each in summary.variants
    ]
    return {**run, "rows": rows}


def _write(each: VariantSummary, words: str) -> str:
    return ABSENT if each.standing is Standing.NOT_TIMED else words


def list_trends(rows: Sequence[dict[str, Any]]) -> list[Trend]:
    """Return the variants that were timed with two versions or more of their framework, on one machine and spec.

    Of several runs of a version, the newest counts.
    """
    found: dict[tuple[str, str, str], dict[str, float]] = {}
    for row in sorted(rows, key=lambda row: str(row["created"])):
        if not math.isnan(row["step_s"]):
            found.setdefault((row["variant"], row["machine"], row["spec"]), {})[row["version"]] = row["step_s"]
    trends = []
    for (variant, machine, spec), by_version in sorted(found.items()):
        versions = sorted(by_version, key=_order)
        if len(versions) > 1:
            trends.append(Trend(variant, machine, spec, tuple(versions), tuple(by_version[each] for each in versions)))
    return trends


def _order(version: str) -> tuple[int, Version | str]:
    """Return what versions are sorted by; those that are no standard ones come last, as text."""
    try:
        return 0, Version(version)
    except InvalidVersion:
        return 1, version
