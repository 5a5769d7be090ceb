"""Prints the tables of a run, and converts them for programs."""

import json
from typing import Any

import pandas as pd
from rich.console import Console

from ..export import Table
from ..report import Report
from ..summary import summarise
from .console import print_line, print_table
from .summary import print_summary


def print_run(console: Console, report: Report) -> None:
    """Print the end of a run: what it found, in a screen, and the commands that show the rest."""
    if len(report.framework_defaults()):
        print_table(console, [report.DEFAULTS_CAPTION], report.framework_defaults())
        print_line(console, "")
    if report.suite_results:
        print_line(console, report.suite_results.caption, wrap=True)
        print_table(console, [], report.readable_suite())
        print_line(console, "")
    if len(report.sweep_times):
        _print_sweep(console, report)
        print_line(console, "")
    _print_new_shapes(console, report)
    print_summary(console, summarise(report))


def print_run_table(console: Console, report: Report, table: Table, speed: bool) -> None:
    """Print a table of a run; under the summary, the sweep."""
    print_table(console, table.notes, table.readable)
    if not speed:
        _print_suite(console, report)
        _print_sweep(console, report)
        _print_new_shapes(console, report)


def convert_run_to_json(report: Report) -> dict[str, Any]:
    """Return what `bakeoff run --json` prints."""
    return {
        "run": str(report.folder),
        "notes": report.notes(),
        "rows": _convert_rows(report.summary()),
        **_convert_suite(report),
        **_convert_new_shapes(report),
    }


def convert_table_to_json(report: Report, table: Table) -> dict[str, Any]:
    """Return what `bakeoff table --json` prints."""
    return {
        "run": str(report.folder),
        "notes": table.notes,
        "rows": _convert_rows(table.raw),
        "framework_defaults": _convert_rows(report.framework_defaults()),
        **_convert_suite(report),
        **_convert_new_shapes(report),
    }


def _print_suite(console: Console, report: Report) -> None:
    if report.suite_results:
        print_table(console, [report.suite_results.caption], report.readable_suite())
        print_table(console, [report.PROFILE_CAPTION], report.readable_profiles())


def _print_new_shapes(console: Console, report: Report) -> None:
    if report.size_costs:
        print_table(console, [report.SHAPES_CAPTION], report.readable_new_shapes())


def _print_sweep(console: Console, report: Report) -> None:
    if len(report.sweep_times):
        lines = report.readable_lines()
        if len(lines):
            print_table(console, [report.SWEEP_CAPTION], lines)
        print_table(console, [], report.readable_sweep())


def _convert_suite(report: Report) -> dict[str, Any]:
    """Return the results of a suite; nothing where the run has one workload."""
    if not report.suite_results:
        return {}
    return {"suite": _convert_rows(report.suite()), "profiles": _convert_rows(report.profiles())}


def _convert_new_shapes(report: Report) -> dict[str, Any]:
    """Return what new batch sizes cost; nothing where that was not measured."""
    if not report.size_costs:
        return {}
    return {"new_shapes": _convert_rows(report.new_shapes()), "new_sizes": _convert_rows(report.new_sizes())}


def _convert_rows(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as JSON has them: NaN becomes null."""
    converted: list[dict[str, Any]] = json.loads(rows.to_json(orient="records", double_precision=15))
    return converted
