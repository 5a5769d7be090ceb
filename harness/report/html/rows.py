"""The rows of the page's table: what is printed of each variant, and the raw value that it is sorted by."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ...common.statistics import Interval
from ..report import Report
from ..tables.speed import Contestant
from ..text import (
    format_count,
    format_interval,
    format_or_dash,
    format_seconds,
    format_share,
    format_size,
    format_time,
)

COPY = " (second copy)"
"""Marks the second copy of the variant that was timed against itself."""

COLUMNS = {
    "correct": "correct",
    "step_s": "time per step [95 %]",
    "ratio": "times the baseline [95 %]",
    "start_s": "first call",
    "import_s": "import",
    "peak_memory_bytes": "peak memory",
    "test_accuracy": "test accuracy",
    "tokens": "code size, tokens",
    "version": "version",
    "licence": "licence",
}
"""The columns after the variant's name, with their headings."""

WORDS = {
    "yes": "The largest rounding error is of the size that plain NumPy's has.",
    "reduced precision": "Some digits are lost, by more than rounding explains; the same network is computed.",
    "no": "A required check failed: something else is computed.",
    "": "It was not checked in this run.",
}
"""What the column `correct` means."""


class Cell(NamedTuple):
    """A cell: its text, and the value it is sorted by; None where there is none."""

    text: str
    value: float | str | None
    note: str = ""


class TableRow(NamedTuple):
    """A row of the table."""

    name: str
    title: str
    """The framework's name."""
    copy: bool
    """Whether it is the second copy of the self-tested variant."""
    failure: str
    cells: dict[str, Cell]
    data: dict[str, Any]
    """Raw values, for the scripts and for the download."""


def name_contestant(contestant: Contestant) -> str:
    """Return the name of a contestant on the page."""
    backend, variant, copy = contestant
    return f"{backend}:{variant}{COPY if copy else ''}"


def list_rows(report: Report) -> list[TableRow]:
    """Return the rows: the variants that were timed, the fastest first, then the others."""
    rows = [_make_row(report, row) for row in report.rows]
    rows += list(_list_copies(report))
    return sorted(
        rows, key=lambda row: (row.data["step_s"] is None or np.isnan(row.data["step_s"]), row.data["step_s"])
    )


def _list_copies(report: Report) -> Iterator[TableRow]:
    """Yield the row of the second copy of the self-tested variant, where there is one."""
    times = report.step_times
    for contestant in times.rounds:
        if contestant[2]:
            backend, variant, _ = contestant
            first = next(row for row in report.rows if (row["backend"], row["variant"]) == (backend, variant))
            step = times.contestant_step(contestant)
            raw = dict.fromkeys(first, np.nan) | {"failure": "", "known_failures": "", "correct": None}
            raw |= {key: first[key] for key in ("backend", "variant", "version", "licence")}
            raw |= {"step_s": step.estimate, "step_s_low": step.low, "step_s_high": step.high}
            yield _make_row(report, raw, copy=True)


def _make_row(report: Report, row: Mapping[str, Any], copy: bool = False) -> TableRow:
    name = name_contestant((row["backend"], row["variant"], copy))
    step = Interval(row["step_s"], row["step_s_low"], row["step_s_high"])
    correct = "" if pd.isna(row["correct"]) else str(row["correct"])
    known = f" Known failures {row['known_failures']}" if row["known_failures"] else ""
    dash = format_or_dash
    cells = {
        "correct": Cell(correct or ("as the first copy" if copy else "not checked"), correct, WORDS[correct] + known),
        "step_s": Cell(dash(step.estimate, lambda _: format_interval(step, format_time)), _number(step.estimate)),
        "ratio": Cell("", None),
        "start_s": Cell(dash(row["first_call_s"], format_seconds), _number(row["first_call_s"])),
        "import_s": Cell(dash(row["import_s"], format_seconds), _number(row["import_s"])),
        "peak_memory_bytes": Cell(dash(row["peak_memory_bytes"], format_size), _number(row["peak_memory_bytes"])),
        "test_accuracy": Cell(dash(row["test_accuracy"], format_share), _number(row["test_accuracy"])),
        "tokens": Cell(dash(row["tokens"], format_count), _number(row["tokens"])),
        "version": Cell(str(row["version"]), str(row["version"])),
        "licence": Cell(dash(row["licence"], str), None if pd.isna(row["licence"]) else str(row["licence"])),
    }
    failure = str(row["failure"]).splitlines()[0] if row["failure"] else ""
    data = {"name": name, "title": report.title(row["backend"]), "copy": copy, **row}
    return TableRow(name, report.title(row["backend"]), copy, failure, cells, data)


def _number(value: Any) -> float | None:
    return None if pd.isna(value) else float(value)
